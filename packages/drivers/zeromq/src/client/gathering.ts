import { afterTurn } from "@quadrant/contract";

/** What is gathered leaves before its turn ends once it is so much, or was kept for so long. */
const gatheredBytes = 49_152;
const gatheredMs = 1;
/** So few are not parted: packets cost more than calls. */
const fewest = 8;
/** In so many turns the memory of a turn with many replies fades by one half, about. */
const fading = 128;

export interface GatheringEvents {
  /** What waits to be sent. */
  pendingBytes(): number;
  /** Sends what there is. */
  send(): void;
}

/**
 * When records leave: those of one turn of the event loop as one packet at its end; but of a sender who wrote only one in
 * the turn before, each leaves at once: there is nobody to wait for.
 *
 * Calls, requests and replies leave in two portions where one turn writes them all. Those who ask in a loop get their
 * answers together and ask again together: as one packet, all would travel in convoy, and of client, hub and server all
 * but one would always wait. With two on their way, two of them work; with more, packets cost what that wins. How many
 * there are is what there were at most of late: while those who were answered together ask again, few are unanswered; and
 * to who answers one portion at a time it is all that there is.
 */
export class Gathering {
  readonly #events: GatheringEvents;
  readonly #clock: { now(): number };
  #active = false;
  #records = 0;
  #recordsBefore = 0;
  #since = 0;
  /** Calls, requests and replies since a packet left. */
  #portion = 0;
  #replies = 0;
  /** The most replies of one turn of late. It fades by turns with less than half as many: half is a portion already. */
  #mostReplies = 0;
  /** The most calls and requests that were unanswered at a time of late. */
  #mostUnanswered = 0;

  /** `clock`: in milliseconds. */
  constructor(events: GatheringEvents, clock: { now(): number } = performance) {
    this.#events = events;
    this.#clock = clock;
  }

  /** Whether there will be a `send` at the end of this turn. */
  get active(): boolean {
    return this.#active;
  }

  /** A record was written. */
  written(): void {
    this.#written(Number.POSITIVE_INFINITY);
  }

  /** A call or request was written, and so many are unanswered with it. */
  asked(unanswered: number): void {
    this.#portion++;
    if (unanswered > this.#mostUnanswered) this.#mostUnanswered = unanswered;
    this.#written(this.#mostUnanswered);
  }

  /** A reply was written. */
  replied(): void {
    this.#portion++;
    this.#replies++;
    this.#written(this.#mostReplies);
  }

  /** `together`: how many travel together unless they are parted. */
  #written(together: number): void {
    this.#records++;
    if (!this.#active) {
      this.#active = true;
      afterTurn(this.#ended);
      if (this.#recordsBefore <= 1) this.#send();
      this.#since = this.#clock.now();
      return;
    }
    if (
      (together >= fewest && this.#portion >= together / 2) ||
      this.#events.pendingBytes() >= gatheredBytes ||
      this.#clock.now() - this.#since >= gatheredMs
    ) {
      this.#since = this.#clock.now();
      this.#send();
    }
  }

  #send(): void {
    this.#portion = 0;
    this.#events.send();
  }

  readonly #ended = (): void => {
    this.#active = false;
    this.#recordsBefore = this.#records;
    if (this.#replies > this.#mostReplies) this.#mostReplies = this.#replies;
    else if (this.#replies > 0 && this.#replies * 2 < this.#mostReplies)
      this.#mostReplies -= this.#mostReplies / fading;
    this.#mostUnanswered -= this.#mostUnanswered / fading;
    this.#records = this.#replies = 0;
    this.#send();
  };
}
