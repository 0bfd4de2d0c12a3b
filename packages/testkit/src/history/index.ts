export { check, type Report } from "./check.ts";
export type { Details, HistoryEvent, Outcome } from "./event.ts";
export { readHistory } from "./history-file.ts";
export type { Operation } from "./operation.ts";
export { type RecordedBus, type RecordOptions, record } from "./record.ts";
export { FileRecording, MemoryRecording, type Recording } from "./recording.ts";
export type { Violation } from "./violation.ts";
