import { createInbox } from "@nats-io/transport-node";
import type { NatsConnection } from "../connection.ts";
import { failed, JetStreamError } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import { readHeaders } from "../wire-headers.ts";
import { journalStream } from "./layout.ts";

/** Messages asked for at once, and about how many bytes of them. */
const batch = 512;
const batchBytes = 16 * 1024 * 1024;

export interface StoredPart {
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Reads the stream's messages up to `lastSeq` in order. Rejects with "unavailable" where the connection is lost meanwhile. */
export async function readParts(
  connection: NatsConnection,
  lastSeq: number,
  visit: (part: StoredPart) => void,
): Promise<void> {
  const consumer = await consumerOf(connection, 1);
  let next = pull(connection, consumer);
  for (let read = 0; read < lastSeq; ) {
    const messages = await next;
    if (messages.length === 0) break;
    // The server reads on meanwhile.
    next = pull(connection, consumer);
    next.catch(() => undefined);
    for (const { seq, bytes } of messages) {
      if (seq <= lastSeq) visit({ seq, bytes });
      read = seq;
    }
  }
  await next.catch(() => undefined);
  // It goes by itself.
  connection.api("read the journal", `CONSUMER.DELETE.${journalStream}.${consumer}`).catch(() => undefined);
}

async function consumerOf(connection: NatsConnection, from: number): Promise<string> {
  const made = await connection.api<{ readonly name: string }>(
    "read the journal of the tuple spaces",
    `CONSUMER.CREATE.${journalStream}`,
    {
      stream_name: journalStream,
      config: {
        deliver_policy: "by_start_sequence",
        opt_start_seq: from,
        ack_policy: "none",
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: 60_000_000_000,
      },
    },
  );
  return made.name;
}

/** The next messages; none at the end. */
function pull(connection: NatsConnection, consumer: string): Promise<StoredPart[]> {
  return new Promise((resolve, reject) => {
    const inbox = createInbox();
    const found: StoredPart[] = [];
    const end = (error?: Error): void => {
      clearTimeout(timer);
      forget();
      subscription.close();
      if (error === undefined) resolve(found);
      else reject(error);
    };
    const lost = (): void => end(failed("unavailable", "the connection was lost while the journal was read"));
    const late = (): void => end(failed("unavailable", "the server does not answer while the journal is read"));
    let timer = setTimeout(late, connection.requestTimeoutMs);
    const forget = connection.onLost(lost);
    const subscription = connection.subscribe(inbox, undefined, (message: Incoming) => {
      clearTimeout(timer);
      timer = setTimeout(late, connection.requestTimeoutMs);
      const block = message.headers;
      const { status, description } = readHeaders(block);
      if (status === 404 || status === 408 || (status === 409 && found.length > 0)) end();
      else if (status >= 400) end(new JetStreamError(status, 0, description));
      else {
        // $JS.ACK.STREAM.CONSUMER.DELIVERED.SEQ.…; with the domain and account in newer ones.
        const tokens = (message.reply ?? "").split(".");
        const seq = Number(tokens[tokens.length > 9 ? 7 : 5]);
        found.push({ seq, bytes: message.data });
        if (found.length === batch) end();
      }
    });
    connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${journalStream}.${consumer}`,
      Buffer.from(JSON.stringify({ batch, max_bytes: batchBytes, no_wait: true })),
      inbox,
    );
  });
}
