import { connect } from "@quadrant/bus";
import { describeDriver } from "../suite/index.ts";
import { record } from "./record.ts";

/** A recorded bus keeps every promise that the bus keeps. */
describeDriver(
  "memory: recorded",
  async () => ({ url: `memory:recorded-${process.pid}`, close: async () => undefined }),
  {
    noBroker: "the engine lives in this process and dies with it",
    scale: 0.1,
    connect: async (url, options) => record(await connect(url, options)),
  },
);
