export { type BlobStore, blobChunkBytes, blobWindow, checkBlobName, checkBlobPrefix } from "./blob.ts";
export { Bodies } from "./body.ts";
export type { Auth, Bus, BusStatus, ConnectOptions, DriverName } from "./bus.ts";
export type { CallContext, CallOptions, Client, ServeOptions, Server, Service, ServiceInfo } from "./call.ts";
export { bytes, type Codec, json, maxDepth } from "./codec.ts";
export { CompiledTemplate, compileParts, compileTemplate, maxMaskFields } from "./compiled-template.ts";
export type { Context, Drainable } from "./context.ts";
export { Deadlines, type Timed } from "./deadlines.ts";
export type {
  Answer,
  AppendRequest,
  BlobDownload,
  BlobEntry,
  BlobPage,
  Blobs,
  BlobUpload,
  CallControl,
  CallRequest,
  Calls,
  ClaimedTuple,
  ClaimSettlement,
  DeadRecord,
  DirectTuples,
  Driver,
  DriverOptions,
  DurableSpec,
  Failure,
  FetchRequest,
  InboundCall,
  Leased,
  LocalQueue,
  LogInfo,
  LogLimits,
  LogPage,
  LogReadRequest,
  Logs,
  OpenDriver,
  OutboundCall,
  PeekedLetter,
  QueueInfo,
  QueueLetter,
  QueueOptions,
  Queues,
  RedriveRequest,
  Registration,
  ReplyFrame,
  ReplySink,
  SendOutcome,
  ServerRecord,
  ServerSpec,
  Settled,
  Settlement,
  SpaceSpec,
  StoredEntry,
  TopicSink,
  Topics,
  TupleEvent,
  TupleIndexUse,
  TupleLease,
  Tuples,
  WatchPage,
  WatchRequest,
} from "./driver.ts";
export { after, checkCount, checkDuration, checkLease } from "./duration.ts";
export type { Envelope } from "./envelope.ts";
export {
  abortedError,
  BusError,
  type BusErrorCode,
  type BusErrorDetail,
  busErrorCodes,
  isBusError,
  type RemoteFailure,
} from "./errors.ts";
export { Feed, type FeedOptions, type Opened } from "./feed.ts";
export { Gate } from "./gate.ts";
export { afterReading, type GraceTerms, grace } from "./grace.ts";
export { checkHeaders, type Headers, maxHeaderSize, noHeaders } from "./headers.ts";
export { checkId } from "./id.ts";
export { IdTable } from "./id-table.ts";
export { checkRedrive, deadLetterOf, letterOf } from "./letter.ts";
export type { LoanOptions, LoanSource, ReceiveLeased } from "./loan.ts";
export type { DurableOptions, Log, LogEntry, LogOptions, ReadOptions, Start } from "./log.ts";
export type {
  DeadLetter,
  Delivery,
  Letter,
  Mailbox,
  MailboxOptions,
  ReceiveOptions,
  SendOptions,
  Sent,
  Worker,
} from "./mailbox.ts";
export type { Message, PublishOptions, SubscribeOptions, Subscription } from "./message.ts";
export { type Opening, openEnvelope, tellInvalid } from "./opening.ts";
export { Outbox, type Outlet } from "./outbox.ts";
export { Roster, type Seated } from "./roster.ts";
export { checkSchema, OutgoingSchema, type StandardSchema, validate } from "./schema.ts";
export { checkSignal, unlessAborted } from "./signal.ts";
export type { Claim, Lease, SpaceEvent, SpaceOps, SpaceOptions, Transaction, TupleSpace, Wait } from "./space.ts";
export {
  checkName,
  checkPattern,
  checkToken,
  isLiteral,
  matchesSubject,
  maxNameBytes,
  type NameKind,
} from "./subject.ts";
export { invalidPatterns, type MatchVector, matchVectors, wildcardPatterns } from "./subject-vectors.ts";
export { assertSupported, features, type Support } from "./support.ts";
export { encodeTemplate, TemplateParts } from "./template-text.ts";
export { TextEnvelope } from "./text-envelope.ts";
export { TextFields } from "./text-fields.ts";
export { inTraceOf, withTrace } from "./trace.ts";
export {
  any,
  between,
  type Field,
  type FieldOf,
  type Formal,
  type Hole,
  type Match,
  oneOf,
  partial,
  prefix,
  type Template,
  type Tuple,
} from "./tuple.ts";
export { decodeField, decodeTuple, encodeField, encodeTuple, splitText, type TextParts } from "./tuple-text.ts";
export { afterTurn } from "./turn.ts";
