import { BusError, type Settled, type Settlement } from "@quadrant/contract";
import type { Loans } from "./loans.ts";
import type { Argument } from "./resp/command-writer.ts";
import { type Reply, textOf } from "./resp/reply-reader.ts";

/** Settled by who holds a letter, or given back as if its lease had ended. */
export type AnySettlement = Settlement | { readonly kind: "lapse"; readonly token: string };

/** A loan's token: the letter's number, and who fetched it when. Of one in a pack the number is "first+place". */
export function tokenOf(number: string, nonce: string): string {
  return `${number}~${nonce}`;
}

/** What the kind has: delay or lease, code, message. */
function detailsOf(settlement: AnySettlement): readonly [Argument, string, string] {
  switch (settlement.kind) {
    case "nak": {
      const { delayMs, failure } = settlement;
      return [Math.ceil(delayMs), failure?.code ?? "", failure?.message ?? ""];
    }
    case "extend":
      return [Math.floor(settlement.leaseMs), "", ""];
    case "reject":
      return [0, settlement.failure.code, settlement.failure.message];
    default:
      return [0, "", ""];
  }
}

/** Kind, number, token, delay or lease, code, message. */
const valuesEach = 6;

/** Settlements as the script takes them: letters of a pack that follow one another, and end alike, are settled as one. */
export class SettlementBatch {
  /** Of some in a pack "first+from-to" is the number. */
  readonly values: Argument[] = [];
  /** Of each, how many settlements it is. */
  readonly #counts: number[] = [];
  #pack = "";
  #nonce = "";
  #kind = "";
  #details: readonly [Argument, string, string] = [0, "", ""];
  #from = 0;
  #to = -2;

  constructor(settlements: readonly AnySettlement[]) {
    for (const settlement of settlements) this.#add(settlement);
    this.#endPack();
  }

  #add(settlement: AnySettlement): void {
    const { kind, token } = settlement;
    const tilde = token.indexOf("~");
    const number = token.slice(0, tilde);
    const nonce = token.slice(tilde + 1);
    const plus = number.indexOf("+");
    const details = detailsOf(settlement);
    if (plus === -1) {
      this.#endPack();
      this.values.push(kind, number, nonce, ...details);
      this.#counts.push(1);
      return;
    }
    const pack = number.slice(0, plus);
    const place = Number(number.slice(plus + 1));
    const follows =
      place === this.#to + 1 &&
      kind === this.#kind &&
      pack === this.#pack &&
      nonce === this.#nonce &&
      details.every((detail, at) => detail === this.#details[at]);
    if (!follows) {
      this.#endPack();
      this.#pack = pack;
      this.#nonce = nonce;
      this.#kind = kind;
      this.#details = details;
      this.#from = place;
    }
    this.#to = place;
  }

  #endPack(): void {
    if (this.#to < 0) return;
    const number = `${this.#pack}+${this.#from}-${this.#to}`;
    this.values.push(this.#kind, number, this.#nonce, ...this.#details);
    this.#counts.push(this.#to - this.#from + 1);
    this.#to = -2;
  }

  /** What the server says of each; what is no longer held is forgotten. `home`: for messages, "the mailbox jobs". */
  settled(reply: readonly Reply[], home: string, loans: Loans): Settled[] {
    const settled: Settled[] = [];
    for (const [at, count] of this.#counts.entries()) {
      const outcome = reply[at];
      const each = Buffer.isBuffer(outcome) ? textOf(outcome) : undefined;
      const values = this.values.slice(at * valuesEach, at * valuesEach + 4);
      let over = 0;
      for (let place = 0; place < count; place++) {
        const inTime = each === undefined ? outcome === 1 : each[place] === "1";
        if (!inTime || values[0] !== "extend") over++;
        settled.push(inTime ? undefined : stale(home));
      }
      const nonce = values[2] as string;
      if (over > 0) loans.settled(nonce, over);
      if (over < count) loans.extend(nonce, values[3] as number);
    }
    return settled;
  }
}

function stale(home: string): BusError {
  const message = `the lease was lost before settling: ${home} has lent it anew or let it go`;
  return new BusError("stale", message, { driver: "redis" });
}
