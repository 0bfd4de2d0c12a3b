import { describeDriver } from "@quadrant/testkit/suite";

describeDriver("memory:", async () => ({ url: `memory:conformance-${process.pid}`, close: async () => {} }), {
  noBroker: "the engine lives in this process and dies with it",
});
