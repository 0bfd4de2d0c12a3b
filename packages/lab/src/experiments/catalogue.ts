import { brokerFaults } from "./broker-faults.ts";
import type { Experiment } from "./experiment.ts";
import { fanOut } from "./fan-out.ts";
import { gamesCouplings } from "./games-couplings.ts";
import { latencyUnderLoad } from "./latency-under-load.ts";
import { mapreduceCouplings } from "./mapreduce-couplings.ts";
import { ordering } from "./ordering.ts";
import { pushAndPull } from "./push-and-pull.ts";
import { receiverCrash } from "./receiver-crash.ts";
import { referentialCoupling } from "./referential-coupling.ts";
import { requestAssignment } from "./request-assignment.ts";
import { serverModels } from "./server-models.ts";
import { slowConsumer } from "./slow-consumer.ts";
import { temporalCoupling } from "./temporal-coupling.ts";
import { throughput } from "./throughput.ts";

/** Every experiment there is, in the order of the report. */
export const experiments: readonly Experiment[] = [
  temporalCoupling,
  referentialCoupling,
  fanOut,
  receiverCrash,
  brokerFaults,
  slowConsumer,
  ordering,
  requestAssignment,
  serverModels,
  pushAndPull,
  mapreduceCouplings,
  gamesCouplings,
  latencyUnderLoad,
  throughput,
];
