export { type Corpus, type CorpusOptions, writeCorpus } from "./corpus/corpus.ts";
export { type Coupling, couplings } from "./dispatch/dispatch.ts";
export { type CsvOptions, type CsvRecord, csv } from "./input/csv.ts";
export { type Document, type Listing, type ListOptions, listDocuments, type Unread } from "./input/document.ts";
export { generated } from "./input/generated.ts";
export type { FileRange, Input, TakeRecord } from "./input/input.ts";
export { lines } from "./input/lines.ts";
export { ndjson } from "./input/ndjson.ts";
export { type ParquetOptions, parquet } from "./input/parquet.ts";
export { type InputFile, planSplits, type Split } from "./input/plan.ts";
export { sampleOf } from "./input/sample.ts";
export { type WholeFile, wholeFiles } from "./input/whole-files.ts";
export { words, wordsOf } from "./input/words.ts";
export { type WordOfFile, wordsOfFiles } from "./input/words-of-files.ts";
export { bytes, type Codec, count, type Json, json, nothing, number, text } from "./job/codec.ts";
export { one, sum, total } from "./job/counting.ts";
export {
  defineJob,
  type Emit,
  type Job,
  type JobDefinition,
  type MapContext,
  type ReduceContext,
  type Round,
} from "./job/job.ts";
export { type JobReference, shippedJobs } from "./job/reference.ts";
export type { CountedPartition, CountTable } from "./kernel/count-table.ts";
export { openWasmCountTable } from "./kernel/wasm-count-table.ts";
export { countedPairs, countWordsOfFiles } from "./kernel/word-files.ts";
export { type CsvField, csvLines } from "./output/csv.ts";
export type { OutputFormat } from "./output/format.ts";
export { ndjsonLines } from "./output/ndjson.ts";
export { type TextLine, textLines } from "./output/text.ts";
export { type EmbeddedRoles, type RunOptions, runJob, startRoles } from "./roles/embedded.ts";
export { assertJob, awaitJob, cancelJob, collectResult, followJob, listJobs, submitJob } from "./roles/job-client.ts";
export type { FinishedTask, JobState } from "./roles/job-state.ts";
export { type MasterHostOptions, runApplicationMasters } from "./roles/master-host.ts";
export {
  type NodeManagerOptions,
  newNodeName,
  runNodeManager,
  type StartedWorker,
  type StartWorker,
} from "./roles/node-manager.ts";
export { watchProgress } from "./roles/progress-watch.ts";
export { type ResourceManagerOptions, runResourceManager } from "./roles/resource-manager.ts";
export {
  type AttemptBeat,
  attemptSubject,
  eventSubject,
  type JobEvent,
  masterAddress,
  type PhaseProgress,
  type Progress,
  progressSubject,
  type StatusService,
} from "./roles/subject.ts";
export { newJobId, type Shuffle, type Submission, type SubmissionRequest } from "./roles/submission.ts";
export { type Summary, summarize } from "./roles/summary.ts";
export type { JobFailure, Outcome, TaskName, Transition } from "./roles/transition.ts";
export { runWorker, type WorkerOptions } from "./roles/worker.ts";
export { TaskError, type TaskFailure } from "./task/failure.ts";
export { type LocalRunOptions, runLocally } from "./task/local-run.ts";
export { sortedWords, topWords, type WordCount } from "./word-list.ts";
export { WordResult, type WordService } from "./word-result.ts";
