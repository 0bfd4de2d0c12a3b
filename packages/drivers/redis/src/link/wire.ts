import type { Socket } from "node:net";
import type { Argument } from "../resp/command-writer.ts";
import { CommandWriter } from "../resp/command-writer.ts";
import { type Reply, ReplyError, ReplyReader } from "../resp/reply-reader.ts";
import { Gathering } from "./gathering.ts";

/**
 * What is gathered leaves before its turn ends once it is so much. Those who ask in a loop get their answers together and ask
 * again together: in one piece all would travel in convoy, and of client, server and broker all but one would always wait.
 */
const gatheredBytes = 4_096;

/** Whoever waits for a reply. */
export interface Replied {
  reply(reply: Reply): void;
  /** The connection was lost before the reply came. */
  lost(): void;
}

/** One connection to a server: commands in order, replies in the same order; and messages, once something is subscribed. */
export class Wire {
  readonly server: string;
  readonly #socket: Socket;
  readonly #writer = new CommandWriter();
  /** In order; what is before the head has been answered. */
  #expected: (Replied | undefined)[] = [];
  #head = 0;
  /** What one turn writes leaves together. */
  readonly #gathering = new Gathering(() => this.#flush());
  #lost = false;
  #onLost: (() => void) | undefined;
  #onMessage: ((message: Reply[]) => void) | undefined;
  /** What the socket failed with. */
  failure: NodeJS.ErrnoException | undefined;
  /** When something last came; monotonic, in milliseconds. */
  lastHeard: number = performance.now();

  constructor(socket: Socket, server: string) {
    this.server = server;
    this.#socket = socket;
    const reader = new ReplyReader((reply) => this.#replied(reply));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    socket.on("data", (chunk) => {
      this.lastHeard = performance.now();
      try {
        reader.feed(chunk as Buffer);
      } catch {
        this.close();
      }
    });
    socket.on("error", (error) => {
      this.failure = error;
      this.close();
    });
    socket.on("close", () => this.close());
  }

  get waiting(): number {
    return this.#expected.length - this.#head;
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /** What the socket has taken and not yet passed on. */
  get pendingBytes(): number {
    return this.#writer.size + this.#socket.writableLength;
  }

  onLost(listener: () => void): void {
    this.#onLost = listener;
    if (this.#lost) listener();
  }

  onMessage(listener: (message: Reply[]) => void): void {
    this.#onMessage = listener;
  }

  /** Writes one command with `write`; its reply goes to `replied`. */
  send(replied: Replied, write: (writer: CommandWriter) => void): void {
    if (this.#lost) {
      replied.lost();
      return;
    }
    write(this.#writer);
    this.#expected.push(replied);
    this.#gathering.add(this.#writer.size >= gatheredBytes);
  }

  /** One command of its own; rejects with the server's error as `ReplyError`, or undefined when the connection was lost. */
  ask(parts: readonly Argument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const replied: Replied = {
        reply: (reply) => (reply instanceof ReplyError ? reject(reply) : resolve(reply)),
        lost: () => reject(undefined),
      };
      this.send(replied, (writer) => writer.command(parts));
    });
  }

  #flush(): void {
    if (this.#writer.size > 0 && !this.#lost) this.#socket.write(this.#writer.take());
  }

  #replied(reply: Reply): void {
    if (this.#onMessage !== undefined && Array.isArray(reply) && Buffer.isBuffer(reply[0])) {
      const kind = reply[0].toString("latin1");
      if (kind === "message" || kind === "pmessage") {
        this.#onMessage(reply);
        return;
      }
    }
    const replied = this.#expected[this.#head];
    if (replied === undefined) return;
    this.#expected[this.#head++] = undefined;
    if (this.#head === this.#expected.length) {
      this.#expected = [];
      this.#head = 0;
    } else if (this.#head >= 1_024 && this.#head * 2 > this.#expected.length) {
      this.#expected = this.#expected.slice(this.#head);
      this.#head = 0;
    }
    replied.reply(reply);
  }

  /** Whether to take in what comes, or to let it wait. */
  flow(open: boolean): void {
    if (open) this.#socket.resume();
    else this.#socket.pause();
  }

  /** Sends what was written, then says no more; resolves once the server has closed, or after `ms`. */
  end(ms: number): Promise<void> {
    if (this.#lost) return Promise.resolve();
    this.#flush();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), ms);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.end();
    });
  }

  close(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#socket.destroy();
    const expected = this.#expected.splice(0);
    const head = this.#head;
    this.#head = 0;
    this.#onLost?.();
    for (let at = head; at < expected.length; at++) expected[at]?.lost();
  }
}
