import { failed } from "../failure.ts";
import type { JetStream, StreamConfig } from "../jetstream.ts";
import { tokenOf } from "../token.ts";
import { Objects } from "./objects.ts";

const stream = "QUADRANT_UPLOADS";
const prefix = "_quadrant.upload.";
/** How often who uploads says that it still does. */
const renewMs = 60_000;
/** An upload that could not say so for this long is given up by who uploads … */
const trustMs = 300_000;
/** … and this long after, its chunks are anybody's to remove. Between clocks that differ by less than five minutes. */
const reclaimMs = 600_000;

/** What is stored of an upload under way. */
interface Marker {
  readonly name: string;
  readonly nuid: string;
  /** When it was last known to go on, by its client's clock. */
  readonly at: number;
}

const config = (replicas: number): StreamConfig => ({
  name: stream,
  subjects: [`${prefix}>`],
  retention: "limits",
  discard: "old",
  storage: "file",
  num_replicas: replicas,
  max_msgs_per_subject: 1,
});

/** One upload's marker: it says whose chunks these are that no name stands for yet. */
export class UploadMarker {
  readonly #jetstream: JetStream;
  readonly #subject: string;
  readonly #what: string;
  readonly #name: string;
  readonly #nuid: string;
  #renewedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(jetstream: JetStream, store: string, name: string, nuid: string) {
    this.#jetstream = jetstream;
    this.#subject = `${prefix}${tokenOf(store)}.${nuid}`;
    this.#what = `put blob ${JSON.stringify(name)}`;
    this.#name = name;
    this.#nuid = nuid;
  }

  async set(): Promise<void> {
    await this.#jetstream.ensure(config(this.#jetstream.replicas));
    await this.#renew();
    this.#timer = setInterval(() => void this.#renew().catch(() => undefined), renewMs).unref();
  }

  /** Throws "unavailable" where somebody may have removed the chunks already. */
  assertFresh(): void {
    if (performance.now() - this.#renewedAt < trustMs) return;
    const message = `${this.#what}: there was no connection for too long, its chunks may have been removed; put it again`;
    throw failed("unavailable", message);
  }

  /** Best effort: one that stays is looked at when its time has come. */
  async clear(): Promise<void> {
    clearInterval(this.#timer);
    await this.#jetstream.purge(this.#what, stream, this.#subject).catch(() => undefined);
  }

  /** Stays, to be looked at later. */
  leave(): void {
    clearInterval(this.#timer);
  }

  async #renew(): Promise<void> {
    const asked = performance.now();
    const marker: Marker = { name: this.#name, nuid: this.#nuid, at: Date.now() };
    const body = Buffer.from(JSON.stringify(marker));
    await this.#jetstream.connection.store(this.#what, this.#subject, body, undefined, true);
    this.#renewedAt = asked;
  }
}

/** Removes the chunks of uploads into a store whose client has not been heard of for ten minutes. Returns how many. */
export async function reclaimUploads(jetstream: JetStream, store: string): Promise<number> {
  const what = `reclaiming what was not put into ${store}`;
  await jetstream.ensure(config(jetstream.replicas));
  const subjects = await jetstream.subjects(what, stream, `${prefix}${tokenOf(store)}.*`);
  const objects = new Objects(jetstream, store);
  let reclaimed = 0;
  for (const subject of subjects.keys()) {
    const message = await jetstream.message(what, stream, { last_by_subj: subject });
    if (message === undefined) continue;
    const marker = JSON.parse(Buffer.from(message.body).toString("utf8")) as Marker;
    if (Date.now() - marker.at < reclaimMs) continue;
    const { object } = await objects.standing(what, marker.name);
    // It was put after all, and only its client never knew.
    if (object?.nuid !== marker.nuid) {
      await objects.removeChunks(what, marker.nuid);
      reclaimed++;
    }
    await jetstream.remove(what, stream, message.seq);
  }
  return reclaimed;
}
