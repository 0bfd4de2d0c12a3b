import { after } from "@quadrant/contract";
import type { JetStream } from "../jetstream.ts";
import type { Box } from "./box.ts";
import { restStream, restSubject } from "./layout.ts";
import { readStored } from "./letter-form.ts";
import type { Post } from "./post.ts";

/** How long a failed look waits for the next. */
const againMs = 250;

export interface Later {
  /** Milliseconds since the epoch. */
  readonly due: number;
  readonly expires: number | undefined;
  readonly subject: string;
}

/** Of `_quadrant.rest.BOX.later.DUE.EXPIRES`; undefined where it is another subject. */
export function laterOf(box: Box, subject: string): Later | undefined {
  const prefix = `${restSubject(box.token)}.later.`;
  if (!subject.startsWith(prefix)) return undefined;
  const [due, expires] = subject.slice(prefix.length).split(".").map(Number);
  return { due: due!, expires: expires === 0 ? undefined : expires, subject };
}

/**
 * Moves the delayed letters of a mailbox into it as they fall due, on behalf of all, while somebody receives from it here.
 * Several clients that do so at once do not disturb each other: the stream drops what is put into it twice.
 */
export class DelayClock {
  readonly #jetstream: JetStream;
  readonly #box: Box;
  readonly #post: Post;
  readonly #due = new Map<string, Later>();
  #subscription: { close(): void } | undefined;
  #cancel: (() => void) | undefined;
  #running = false;
  #stopped = false;
  readonly #forget: () => void;

  constructor(jetstream: JetStream, box: Box, post: Post) {
    this.#jetstream = jetstream;
    this.#box = box;
    this.#post = post;
    // Whoever stores a delayed letter publishes it, so that this hears of it, too.
    this.#subscription = jetstream.connection.subscribe(`${restSubject(box.token)}.later.>`, undefined, (message) =>
      this.#note(message.subject),
    );
    this.#forget = jetstream.connection.onBack(() => void this.look());
  }

  /** Asks what there is; resolves once that is known, or will be asked again. */
  async look(): Promise<void> {
    if (this.#stopped) return;
    try {
      const subjects = await this.#jetstream.subjects(this.#box.what, restStream, `${restSubject(this.#box.token)}.>`);
      const lines: string[] = [];
      for (const subject of subjects.keys()) {
        this.#note(subject);
        const line = subject.split(".line.")[1];
        if (line !== undefined) lines.push(line);
      }
      await this.#post.lines.mend(this.#box, lines);
    } catch {
      this.#again();
    }
  }

  #again(): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => void this.look(), againMs);
    timer.unref();
  }

  #note(subject: string): void {
    const later = laterOf(this.#box, subject);
    if (later === undefined || this.#stopped) return;
    this.#due.set(subject, later);
    this.#arm();
  }

  #arm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#stopped || this.#running || this.#due.size === 0) return;
    let next = Number.POSITIVE_INFINITY;
    for (const { due } of this.#due.values()) next = Math.min(next, due);
    this.#cancel = after(Math.max(0, next - Date.now()), () => void this.#move());
  }

  async #move(): Promise<void> {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    const now = Date.now();
    const due = [...this.#due.values()].filter((later) => later.due <= now).sort((a, b) => a.due - b.due);
    try {
      for (const later of due) {
        await this.#moveAll(later);
        this.#due.delete(later.subject);
      }
    } catch {
      this.#again();
      await new Promise((resolve) => setTimeout(resolve, againMs).unref());
    }
    this.#running = false;
    this.#arm();
  }

  async #moveAll({ subject }: Later): Promise<void> {
    const { what } = this.#box;
    for await (const stored of this.#jetstream.messages(what, restStream, subject)) {
      const letter = readStored(stored);
      const expired = letter.expiresAt !== undefined && letter.expiresAt <= Date.now();
      const sentAt = letter.sentAt ?? stored.time;
      if (!expired) await this.#post.put(this.#box, { ...letter, sentAt }, `due.${stored.seq}`);
      await this.#jetstream.remove(what, restStream, stored.seq);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#forget();
    this.#subscription?.close();
  }
}
