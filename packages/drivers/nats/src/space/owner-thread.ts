/** The thread that stands for the seat and, once it has it, owns the tuple spaces. */
import { parentPort, workerData } from "node:worker_threads";
import type { NatsConnection } from "../connection.ts";
import { connectionOptions } from "../credentials.ts";
import { openConnection } from "../opening.ts";
import { readHeaders } from "../wire-headers.ts";
import type { CandidateOrder, CandidateTale, CandidateTerms } from "./candidate.ts";
import { whoSubject } from "./layout.ts";
import { Owner } from "./owner.ts";
import { Seat } from "./seat.ts";

const port = parentPort!;
const terms = workerData as CandidateTerms;
const probeMs = 250;
const connectMs = 10_000;

let owner: Owner | undefined;
let connection: NatsConnection | undefined;
let seat: Seat | undefined;
let closing = false;

function say(tale: CandidateTale): void {
  port.postMessage(tale);
}

/** Whether the server says that nobody listens where an owner would; in a cluster that may be true of this server alone. */
async function ownerGone(at: NatsConnection): Promise<boolean> {
  if (at.raw.info?.cluster !== undefined || !at.connected) return false;
  try {
    const message = await at.request("look for an owner", whoSubject, new Uint8Array(0), { timeoutMs: probeMs });
    return readHeaders(message.headers).status === 503;
  } catch {
    return false;
  }
}

async function stand(): Promise<void> {
  const url = new URL(terms.url);
  const options = { ...terms.options, timeoutMs: connectMs };
  const at = await openConnection(connectionOptions(url, options), options);
  connection = at;
  const own = new Seat(at, terms.instance);
  seat = own;
  await own.ensure(terms.replicas);
  const taken = await own.take(terms.seen, () => ownerGone(at), terms.standby);
  if (closing) {
    if (taken) await own.leave();
    return;
  }
  if (!taken) return end("lost");
  owner = await Owner.begin(at, own, terms.replicas, () => void end("deposed"));
  say({ kind: "owner", epoch: own.epoch });
}

async function end(why: "lost" | "deposed" | "closed", message?: string): Promise<void> {
  if (closing && why !== "closed") return;
  closing = true;
  await owner?.close();
  seat?.close();
  await connection?.close();
  say({ kind: "ended", why, ...(message === undefined ? undefined : { message }) });
  process.exit(0);
}

port.on("message", (order: CandidateOrder) => {
  if (order.kind === "describe") say({ kind: "described", description: owner?.describe() ?? {} });
  else {
    closing = true;
    void end("closed");
  }
});

stand().catch((error: unknown) => end("lost", error instanceof Error ? error.message : String(error)));
