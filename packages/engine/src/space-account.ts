/** What a simulated tuple has come to. */
export interface SimulatedTuple {
  readonly n: number;
  readonly key: string;
  readonly expiresAt: number;
  state: "in" | "held" | "handed" | "gone";
  /** When the claim ends that holds it. */
  until: number;
  /** Of that claim, once it is known. */
  token: string | undefined;
}

export interface SimulatedWait {
  readonly number: number;
  readonly kind: "in" | "rd" | "claim" | "both";
  /** undefined: any. */
  readonly key: string | undefined;
  readonly until: number;
  /** Of a claim. */
  readonly leaseMs: number;
}

/** What ought to be in a space, kept in the plainest way: lists that are walked through. */
export class SpaceAccount {
  readonly waits: SimulatedWait[] = [];
  /** What waits have come to since the last look: tuples as "key n", or the code of a failure. */
  readonly due: Map<number, string> = new Map();
  readonly #tuples: SimulatedTuple[] = [];
  #numbers = 0;
  /** What time it was when something was last done. */
  #moment = 0;

  find(wanted: (one: SimulatedTuple) => boolean): SimulatedTuple | undefined {
    return this.#tuples.find(wanted);
  }

  /** Oldest first. */
  there(now: number): readonly SimulatedTuple[] {
    return this.#tuples.filter(({ state, expiresAt }) => state === "in" && expiresAt > now);
  }

  oldest(key: string | undefined, now: number): SimulatedTuple | undefined {
    return this.there(now).find((one) => key === undefined || one.key === key);
  }

  out(key: string, expiresAt: number): SimulatedTuple {
    const n = this.#tuples.length;
    const one: SimulatedTuple = { n, key, expiresAt, state: "gone", until: 0, token: undefined };
    this.#tuples.push(one);
    this.#offer(one, Number.NEGATIVE_INFINITY);
    return one;
  }

  putBack(one: SimulatedTuple, now: number): void {
    one.state = "gone";
    one.token = undefined;
    if (one.expiresAt > now) this.#offer(one, now);
  }

  /** To every rd, then to the longest-waiting that can use it, else to its place. */
  #offer(one: SimulatedTuple, now: number): void {
    const said = `${one.key} ${one.n}`;
    const wants = ({ kind, key }: SimulatedWait): boolean =>
      kind === "both" ? one.key === "a" || one.key === "b" : key === undefined || key === one.key;
    for (const wait of this.waits.filter(({ kind }) => kind === "rd")) if (wants(wait)) this.end(wait, said);
    const moment = Math.max(now, this.#moment);
    for (const wait of this.waits.filter(({ kind }) => kind !== "rd")) {
      if (!wants(wait)) continue;
      if (wait.kind !== "both") {
        this.#give(one, wait, moment);
        return;
      }
      const other = this.oldest(one.key === "a" ? "b" : "a", moment);
      if (other === undefined) continue;
      other.state = "gone";
      const both = `${other.key} ${other.n}`;
      this.end(wait, one.key === "a" ? `${said} ${both}` : `${both} ${said}`);
      return;
    }
    one.state = "in";
  }

  #give(one: SimulatedTuple, wait: SimulatedWait, now: number): void {
    if (wait.kind === "claim") {
      one.state = "held";
      one.until = now + wait.leaseMs;
      one.token = undefined;
    } else one.state = "gone";
    this.end(wait, `${one.key} ${one.n}`);
  }

  end(wait: SimulatedWait, outcome: string): void {
    const at = this.waits.indexOf(wait);
    if (at >= 0) this.waits.splice(at, 1);
    this.due.set(wait.number, outcome);
  }

  wait(
    kind: SimulatedWait["kind"],
    key: string | undefined,
    until: number,
    leaseMs: number,
    now: number,
  ): SimulatedWait {
    const wait: SimulatedWait = { number: ++this.#numbers, kind, key, until, leaseMs };
    this.#moment = now;
    const [one, other] = kind === "both" ? [this.oldest("a", now), this.oldest("b", now)] : [this.oldest(key, now)];
    if (one === undefined || (kind === "both" && other === undefined)) this.waits.push(wait);
    else if (kind === "rd") this.end(wait, `${one.key} ${one.n}`);
    else if (kind !== "both") this.#give(one, wait, now);
    else {
      one.state = other!.state = "gone";
      this.end(wait, `a ${one.n} b ${other!.n}`);
    }
    return wait;
  }

  /** Claims and waits that end meanwhile do so in their order. */
  advance(from: number, to: number): void {
    this.#moment = from;
    for (;;) {
      const claim = earliest(this.#tuples.filter(({ state, until }) => state === "held" && until <= to));
      const wait = earliest(this.waits.filter(({ until }) => until <= to));
      if (claim === undefined && wait === undefined) break;
      this.#moment = Math.min(claim?.until ?? to, wait?.until ?? to);
      if (claim !== undefined && (wait === undefined || claim.until < wait.until)) this.putBack(claim, claim.until);
      else this.end(wait!, "timeout");
    }
    this.#moment = to;
  }
}

function earliest<T extends { readonly until: number }>(some: readonly T[]): T | undefined {
  return some.reduce<T | undefined>(
    (best, one) => (best === undefined || one.until < best.until ? one : best),
    undefined,
  );
}
