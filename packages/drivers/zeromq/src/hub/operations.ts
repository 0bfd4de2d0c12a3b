import type { Values } from "../wire/values.ts";
import { blobOperations } from "./blobs/blob-operations.ts";
import { logOperations } from "./log-operations.ts";
import { queueOperations } from "./queue-operations.ts";
import type { HubSession } from "./session.ts";
import { sessionOperations } from "./session-operations.ts";
import { spaceOperations } from "./space-operations.ts";

/** Something taken for a client that it does not have yet. */
export interface Capture {
  /** Puts it back where it was: the response never left, or came too late. */
  undo(): void;
  /** The client has it. */
  arrived?(): void;
}

/** How something was asked. */
export interface Asked {
  /** Names the request over restarts of a durable hub; undefined where the hub forgets everything. */
  readonly ticket: string | undefined;
  /** Whether an earlier hub may have done it already. */
  readonly again: boolean;
}

export interface Outcome {
  /** The values of the response. */
  readonly values: readonly unknown[];
  readonly capture?: Capture | undefined;
}

export interface HubOperation {
  /** Whether it may wait for another party: it is withdrawn while the client is away, and can be cancelled. */
  readonly waits: boolean;
  /** Whether its outcome takes something that is to go back when the client does not get it. */
  readonly captures: boolean;
  /** Throws, or rejects with, BusErrors. `signal` is given where it waits. */
  run(session: HubSession, values: Values, signal: AbortSignal | undefined, asked: Asked): Promise<Outcome>;
}

/** What a client can ask for, by its code on the wire. */
export const operations: ReadonlyMap<number, HubOperation> = new Map([
  ...sessionOperations,
  ...queueOperations,
  ...logOperations,
  ...spaceOperations,
  ...blobOperations,
]);
