export { type Job, type JobOptions, type JobResult, openJob, runCoordinator } from "./coordinator.ts";
export { type Document, type Listing, type ListOptions, listDocuments, type Unread } from "./document.ts";
export {
  eventPattern,
  type JobEvent,
  newJobId,
  type Outcome,
  type PartitionEvent,
  progressSubject,
  serviceAddress,
  type TaskEvent,
  type WorkerEvent,
} from "./job.ts";
export { watchProgress } from "./report.ts";
export type { StatusService } from "./status.ts";
export type { Progress } from "./tally.ts";
export { sortedWords, topWords, type WordCount } from "./word-list.ts";
export { runWorker, type WorkerOptions } from "./worker.ts";
