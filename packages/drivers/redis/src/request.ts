import type { BusError, Seated, Timed } from "@quadrant/contract";
import type { Replied } from "./link/wire.ts";
import type { Argument } from "./resp/command-writer.ts";
import type { Reply } from "./resp/reply-reader.ts";
import type { Script } from "./scripts/script.ts";

/** A request that can be given up. */
export interface Posted {
  /** Of a guarded script: who asks, and the number of the request. */
  readonly place: string;
  readonly serial: number;
  /** Whether it was written. */
  readonly written: boolean;
  /** Forgets it. What is answered after all goes to `late`. Returns whether it was written, and so may happen. */
  abandon(late?: (reply: Reply) => void): boolean;
}

export interface Asked extends Posted {
  readonly answer: Promise<Reply>;
}

/** Who has sent it. */
interface Asker {
  readonly client: string;
  replied(request: Request, reply: Reply): void;
  lost(request: Request): void;
  abandon(request: Request, late: ((reply: Reply) => void) | undefined): boolean;
}

export interface RequestTerms {
  /** For messages: "send to box". */
  readonly what: string;
  /** Whether it changes something: then its outcome is unknown once it was written. */
  readonly writes: boolean;
  /** undefined: until it is answered, however often the server goes and comes. */
  readonly untimed?: boolean | undefined;
  /** Not sent again, even where that would be safe: with the connection it is lost. */
  readonly once?: boolean | undefined;
  /** Part of what sets a new connection up: not kept until that is done; with the connection it is lost. */
  readonly urgent?: boolean | undefined;
  /** Who gets what is answered after the deadline. */
  readonly late?: ((reply: Reply) => void) | undefined;
}

/** One script to be run, until it is answered. */
export class Request implements Replied, Timed, Posted, Seated {
  seat: number | undefined;
  due = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  readonly #asker: Asker;
  #place: string | undefined;
  readonly script: Script;
  readonly key: string;
  readonly slot: number;
  readonly values: readonly Argument[];
  readonly terms: RequestTerms;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: BusError) => void;
  /** Of who has a promise of it. */
  answer: Promise<Reply> | undefined;
  /** Of a guarded script: the number of its place. */
  placeNumber = -1;
  serial = 0;
  written = false;
  again = false;
  over = false;
  /** Of one that was given up: who gets what is answered after all. */
  late: ((reply: Reply) => void) | undefined;

  constructor(
    asker: Asker,
    slot: number,
    script: Script,
    key: string,
    values: readonly Argument[],
    terms: RequestTerms,
    resolve: (reply: Reply) => void,
    reject: (error: BusError) => void,
  ) {
    this.#asker = asker;
    this.script = script;
    this.key = key;
    this.slot = slot;
    this.values = values;
    this.terms = terms;
    this.resolve = resolve;
    this.reject = reject;
  }

  get place(): string {
    this.#place ??= `${this.#asker.client}:${this.placeNumber}`;
    return this.#place;
  }

  abandon(late?: (reply: Reply) => void): boolean {
    return this.#asker.abandon(this, late);
  }

  reply(reply: Reply): void {
    this.#asker.replied(this, reply);
  }

  lost(): void {
    this.#asker.lost(this);
  }
}
