import type { NatsConnection } from "../connection.ts";
import { failed, isJetStreamError } from "../failure.ts";
import { decodePart, type JournalPart } from "./journal-message.ts";
import { journalConfig, journalStream, journalSubject } from "./layout.ts";

const noMessage = 10_037;
const noStream = 10_059;
const nameInUse = 10_058;

interface StreamState {
  readonly config: { readonly subjects: readonly string[] };
  readonly state: { readonly messages: number; readonly last_seq: number };
}

/** Makes the stream where there is none; nothing is changed of one that somebody else uses. */
export async function ensureStream(connection: NatsConnection, replicas: number): Promise<void> {
  const what = "make the journal of the tuple spaces";
  try {
    const { config } = await streamState(connection);
    if (config.subjects.length !== 1 || config.subjects[0] !== journalSubject)
      throw failed("unavailable", `the stream ${journalStream} is used by something else: rename or remove it`);
  } catch (error) {
    if (!isJetStreamError(error, noStream)) throw error;
    try {
      await connection.api(what, `STREAM.CREATE.${journalStream}`, journalConfig(replicas), { writes: true });
    } catch (cause) {
      if (!isJetStreamError(cause, nameInUse)) throw cause;
    }
  }
}

export function streamState(connection: NatsConnection): Promise<StreamState> {
  return connection.api<StreamState>("look at the journal of the tuple spaces", `STREAM.INFO.${journalStream}`);
}

export async function messageAt(connection: NatsConnection, seq: number): Promise<JournalPart> {
  const { message } = await connection.api<{ readonly message: { readonly data?: string } }>(
    "read the journal of the tuple spaces",
    `STREAM.MSG.GET.${journalStream}`,
    { seq },
  );
  return decodePart(Buffer.from(message.data ?? "", "base64"), `message ${seq} of the stream ${journalStream}`);
}

/** Of a stream whose end was deleted by hand there is none. */
export async function lastPart(connection: NatsConnection, seq: number): Promise<JournalPart | undefined> {
  try {
    return await messageAt(connection, seq);
  } catch (error) {
    if (isJetStreamError(error, noMessage)) return undefined;
    throw error;
  }
}
