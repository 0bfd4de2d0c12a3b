import { bytesOf, type Reply, textOf } from "./resp/reply-reader.ts";

/** After so many messages for subscriptions, their consumers get a turn before more are taken in. */
const turnMessages = 256;

export interface InboxEvents {
  /** A message of a channel ("c…") or pattern ("p…"). Returns how many messages of ours it held. */
  topic(key: string, channel: string, body: Buffer): number;
  /** A word for this client alone. Returns as `topic`. */
  word(word: Buffer): number;
  /** Whether to take in more, or to let the connection wait. */
  flow(open: boolean): void;
}

/** What the connection for messages brings, handed on a part at a time. */
export class Inbox {
  readonly #events: InboxEvents;
  readonly #own: string;
  #counting = false;
  #waiting: (readonly Reply[] | (() => void))[] = [];
  #taken = 0;
  #resting = false;

  constructor(own: string, events: InboxEvents) {
    this.#own = own;
    this.#events = events;
  }

  message(message: readonly Reply[]): void {
    if (this.#resting) this.#waiting.push(message);
    else this.#take(message);
  }

  /** Calls back once what came before has been handed on: at once where nothing waits. */
  inOrder(callback: () => void): void {
    if (this.#resting) this.#waiting.push(callback);
    else callback();
  }

  #take(message: readonly Reply[] | (() => void)): void {
    if (typeof message === "function") {
      message();
      return;
    }
    const kind = textOf(message[0]);
    const name = textOf(message[1]);
    if (kind === "pmessage") this.#taken += this.#events.topic(`p${name}`, textOf(message[2]), bytesOf(message[3]));
    else if (name === this.#own) this.#taken += this.#events.word(bytesOf(message[2]));
    else this.#taken += this.#events.topic(`c${name}`, name, bytesOf(message[2]));
    if (this.#taken < turnMessages) {
      if (this.#taken > 0 && !this.#counting) this.#count();
      return;
    }
    this.#rest();
  }

  /** What few messages a turn brings are no reason to rest in the next. */
  #count(): void {
    this.#counting = true;
    setImmediate(() => {
      this.#counting = false;
      if (!this.#resting) this.#taken = 0;
    });
  }

  #rest(): void {
    this.#resting = true;
    this.#events.flow(false);
    setImmediate(() => {
      this.#resting = false;
      this.#taken = 0;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const [at, message] of waiting.entries()) {
        if (this.#resting) {
          this.#waiting.push(...waiting.slice(at));
          return;
        }
        this.#take(message);
      }
      this.#events.flow(true);
    });
  }

  /** The connection is lost: what it brought is still handed on. */
  lost(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#take(message);
  }
}
