import { randomBytes } from "node:crypto";
import { type Bus, BusError, type Message, type Subscription } from "@quadrant/bus";
import type { MatchCommand } from "./command.ts";
import { subjectOf } from "./entry.ts";
import { type Reply, readReply } from "./reply.ts";

export interface Waiting {
  /** How long an answer may take, in ms. Default 10 000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Distributes over each member of a union. */
type Unsent<C> = C extends MatchCommand
  ? Omit<C, "v" | "id" | "replyTo"> & { readonly id?: string | undefined }
  : never;
export type UnsentCommand = Unsent<MatchCommand>;

const firstAgainMs = 250;
const longestAgainMs = 2_000;

/** Sends commands until they are answered. Commands and replies may be lost on the way: the same id is sent again. */
export class CommandDesk implements AsyncDisposable {
  readonly #bus: Bus;
  readonly #replyTo: string;
  readonly #replies: Subscription<Message<unknown>>;
  readonly #open = new Map<string, (reply: Reply) => void>();
  readonly #closed = new AbortController();
  readonly #reading: Promise<void>;

  private constructor(bus: Bus, replyTo: string, replies: Subscription<Message<unknown>>) {
    this.#bus = bus;
    this.#replyTo = replyTo;
    this.#replies = replies;
    this.#reading = (async () => {
      for await (const { data } of replies) {
        const reply = readReply(data);
        if (reply !== undefined) this.#open.get(reply.id)?.(reply);
      }
    })().catch(() => undefined);
  }

  static async open(bus: Bus): Promise<CommandDesk> {
    const replyTo = `games.reply.${randomBytes(24).toString("base64url")}`;
    return new CommandDesk(bus, replyTo, await bus.subscribe(replyTo));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#replies[Symbol.asyncDispose]();
    await this.#reading;
  }

  /** "timeout" where no referee has answered: it may or may not have happened, and may be sent again under its id. */
  async send(game: string, match: string, unsent: UnsentCommand, waiting: Waiting = {}): Promise<Reply> {
    const { timeoutMs = 10_000, signal } = waiting;
    const id = unsent.id ?? randomBytes(16).toString("hex");
    if (this.#open.has(id)) throw new BusError("conflict", `${id} is on its way already`);
    const command = { ...unsent, v: 1, id, replyTo: this.#replyTo };
    const answered = Promise.withResolvers<Reply>();
    const fail = (code: "timeout" | "aborted" | "closed", message: string): void =>
      answered.reject(new BusError(code, message));
    let timer: NodeJS.Timeout | undefined;
    const publish = (againMs: number): void => {
      void this.#bus.publish(`${subjectOf(game, match)}.command`, command).catch((error: unknown) => {
        if (!(error instanceof BusError && error.retryable)) answered.reject(error);
      });
      timer = setTimeout(publish, againMs, Math.min(againMs * 2, longestAgainMs));
    };
    const deadline = setTimeout(fail, timeoutMs, "timeout", `no referee has answered ${unsent.kind}: is one running?`);
    const abort = (): void => fail("aborted", "aborted before an answer came");
    const close = (): void => fail("closed", "this player is closed");
    signal?.addEventListener("abort", abort, { once: true });
    this.#closed.signal.addEventListener("abort", close, { once: true });
    this.#open.set(id, answered.resolve);
    try {
      if (signal?.aborted) abort();
      else if (this.#closed.signal.aborted) close();
      else publish(firstAgainMs);
      return await answered.promise;
    } finally {
      clearTimeout(timer);
      clearTimeout(deadline);
      signal?.removeEventListener("abort", abort);
      this.#closed.signal.removeEventListener("abort", close);
      this.#open.delete(id);
    }
  }
}
