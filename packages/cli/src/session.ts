import type { Readable } from "node:stream";
import type { Bus, BusStatus } from "@quadrant/contract";
import type { Command } from "commander";
import { failed, misused } from "./failure.ts";
import type { Terminal } from "./io.ts";
import { authOf, type KeyOptions } from "./key-file.ts";
import type { Output } from "./output.ts";

/** What a command works with: where its words go, whence its input comes, when it has to end, and the bus. */
export interface Session {
  readonly output: Output;
  readonly stdin: Terminal<Readable>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts when the command has to end: Ctrl-C, or nobody reads its output any more. */
  readonly signal: AbortSignal;
  /** `--url`, else QUADRANT_URL, else undefined. It may hold a password: print it through `output.mask`. */
  readonly givenUrl: string | undefined;
  /** The same, or the address on which a hub listens unless told otherwise. */
  readonly url: string;
  /** The keys to connect with, if any: then the connection is authenticated and encrypted. */
  readonly keys: KeyOptions;
  /** Connects, runs `use`, and drains the connection whatever came of it. */
  withBus<T>(use: (bus: Bus) => Promise<T>): Promise<T>;
}

/** Makes the session of a command from the options it was given; `url` is one that came as an argument. */
export type OpenSession = (command: Command, url?: string | undefined) => Session;

/** What each module in commands/ exports: it describes the command and says what it does. */
export type Configure = (command: Command, open: OpenSession) => void;

export const defaultUrl = "zmq://127.0.0.1:7227";

/** With the time a process takes to start, an unreachable broker is reported within five seconds. */
const defaultConnectTimeoutMs = 4_000;

export interface Connection {
  readonly url: string;
  /** Shown in broker listings. */
  readonly name: string;
  readonly connectTimeoutMs: number | undefined;
  readonly keys: KeyOptions;
  readonly signal: AbortSignal;
  readonly output: Output;
}

function tellStatus(output: Output, { kind, detail }: BusStatus): void {
  if (kind === "disconnected") output.warn("connection lost; trying again");
  if (kind === "reconnected") output.talk("connected again");
  if (kind === "slow-consumer" || kind === "gap") output.warn(`messages were lost: ${JSON.stringify(detail ?? {})}`);
  if (kind === "denied") output.warn(`denied by the broker: ${JSON.stringify(detail ?? {})}`);
}

/** Resolves, once the bus is closed, with whether something was denied that nobody waited for. */
async function watchStatus(bus: Bus, output: Output): Promise<boolean> {
  let denied = false;
  for await (const status of bus.status()) {
    tellStatus(output, status);
    if (status.kind === "denied") denied = true;
  }
  return denied;
}

/** Connects, runs `use`, and drains the connection whatever came of it. */
export async function connected<T>(connection: Connection, use: (bus: Bus) => Promise<T>): Promise<T> {
  const { url, name, output, signal } = connection;
  if (!/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    throw misused(`--url: ${url} is no URL; one looks like ${defaultUrl} or memory:`);
  }
  const auth = await authOf(connection.keys);
  // Here, not above: it is what takes longest to load, and --help has no use for it.
  const { connect } = await import("@quadrant/bus");
  const timeoutMs = connection.connectTimeoutMs ?? defaultConnectTimeoutMs;
  const bus = await connect(url, { name, timeoutMs, auth, signal });
  const watching = watchStatus(bus, output).catch(() => false);
  let result: T;
  try {
    result = await use(bus);
  } finally {
    await bus.close();
    await watching;
  }
  if (await watching) throw failed("the broker denied some of it: see above");
  return result;
}
