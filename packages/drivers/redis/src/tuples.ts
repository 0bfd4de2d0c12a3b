import {
  BusError,
  type ClaimedTuple,
  type ClaimSettlement,
  type Settled,
  type SpaceSpec,
  type TupleLease,
  type Tuples,
  type Wait,
  type WatchPage,
  type WatchRequest,
} from "@quadrant/contract";
import { Arrivals } from "./arrivals.ts";
import type { Fetching } from "./fetching.ts";
import { spaceKey } from "./names.ts";
import type { Openings } from "./openings.ts";
import type { Asked, RequestTerms } from "./request.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { bytesOf, listOf, numberOf, type Reply, textOf } from "./resp/reply-reader.ts";
import type { Script } from "./scripts/script.ts";
import * as leases from "./scripts/space-leases.ts";
import * as scripts from "./scripts/spaces.ts";
import { SpaceWatch } from "./space-watch.ts";
import { Takings } from "./takings.ts";
import { fromServer, toServer } from "./tuple-texts.ts";
import type { TupleWaits, WaitTerms } from "./tuple-waits.ts";

type Kind = "in" | "rd" | "cl";

const names: Readonly<Record<Kind, string>> = { in: "an in", rd: "an rd", cl: "a claim" };

/** How long a lease may be for the server: longer ones end in the year 5138 or so. */
const longestMs = 1e14;

function leaseOf(leaseMs: number | undefined): Argument {
  if (leaseMs === undefined || leaseMs >= longestMs) return "";
  return Math.floor(leaseMs) || (leaseMs > 0 ? 1 : 0);
}

/** Tuple spaces. */
export class RedisTuples implements Tuples {
  readonly #requests: Requests;
  readonly #waits: TupleWaits;
  readonly #openings: Openings;
  /** Claims that this connection has, by token: their space. */
  readonly #claims = new Map<string, string>();
  readonly #arrivals: Arrivals;
  readonly #takings: Takings;
  /** Indexes that are being built, each once, however many wait for it. */
  readonly #building = new Map<string, Promise<void>>();

  readonly #forgets: () => boolean;
  readonly #watch: SpaceWatch;

  /** `forgets`: whether the server keeps nothing over a restart. */
  constructor(requests: Requests, waits: TupleWaits, openings: Openings, fetching: Fetching, forgets: () => boolean) {
    this.#requests = requests;
    this.#waits = waits;
    this.#openings = openings;
    this.#arrivals = new Arrivals(requests);
    this.#takings = new Takings(requests);
    this.#forgets = forgets;
    this.#watch = new SpaceWatch(requests, fetching, (space) => this.#prepare(space, -1));
  }

  async open(space: string, spec: SpaceSpec): Promise<void> {
    await this.#open(space, spec, true);
    this.#openings.opened(spaceKey(space), () => this.#open(space, spec, false));
  }

  async #open(space: string, spec: SpaceSpec, anew: boolean): Promise<void> {
    const registry = await this.#openings.register("space", space);
    const { pick, capacity, whenFull, maxScan, history } = spec;
    const set = [pick, capacity, whenFull, maxScan, history].map((value) => value ?? "");
    const terms = { what: `open space ${space}`, writes: true };
    await this.#requests.run(
      scripts.openSpace,
      spaceKey(space),
      [registry, space, ...set, anew ? "1" : "0", this.#forgets() ? "1" : "0"],
      terms,
    );
  }

  /** What a reply asks for before the same is asked again: the space made anew, an index built, or nothing. */
  async #prepare(space: string, reply: Reply): Promise<void> {
    const key = spaceKey(space);
    if (reply === -1) {
      await this.#openings.again(key, () => this.#open(space, {}, false));
      return;
    }
    const [kind, form, shape] = listOf(reply).map(textOf);
    if (kind !== "3") return;
    const of = `${key} ${form} ${shape}`;
    const building =
      this.#building.get(of) ?? this.#build(space, form!, shape!).finally(() => this.#building.delete(of));
    this.#building.set(of, building);
    await building;
  }

  /** A part at a time, so that the server has time for others. */
  async #build(space: string, form: string, shape: string): Promise<void> {
    for (let from = ""; ; ) {
      const terms = { what: `index the space ${space}`, writes: false };
      from = textOf(await this.#requests.run(scripts.buildIndex, spaceKey(space), [form, shape, from], terms));
      if (from === "") return;
    }
  }

  /** Asked again until the reply is an answer. */
  async #run(script: Script, space: string, values: readonly Argument[], terms: RequestTerms): Promise<Reply> {
    for (;;) {
      const reply = await this.#requests.run(script, spaceKey(space), values, terms);
      if (reply !== -1 && !(Array.isArray(reply) && reply[0] === 3)) return reply;
      await this.#prepare(space, reply);
    }
  }

  out(space: string, tuple: string, leaseMs: number | undefined, wait: Wait): Promise<TupleLease> {
    const text = toServer(tuple);
    const key = spaceKey(space);
    const expiresInMs = leaseMs ?? Number.POSITIVE_INFINITY;
    return this.#waits.run({
      ...this.#ending(space, `an out to the space ${space}`),
      wait,
      ask: (wid, waits) => {
        // Who waits for room waits as long as he likes; who waits for the server alone does not.
        const terms = { what: `an out to the space ${space}`, writes: true };
        return this.#requests.ask(scripts.outTuple, key, [text, leaseOf(leaseMs), waits ? "1" : "0", wid], terms);
      },
      read: (reply) => ({ id: textOf(reply[1]), expiresInMs }),
      giveBack: () => undefined,
    });
  }

  #ending(space: string, what: string): Pick<WaitTerms<never>, "key" | "what" | "end" | "prepare"> {
    const terms = { what, writes: true, untimed: true };
    return {
      key: spaceKey(space),
      what,
      end: (wid, how): Asked => this.#requests.ask(scripts.endWait, spaceKey(space), [wid, how], terms),
      prepare: (reply) => this.#prepare(space, reply),
    };
  }

  async outMany(space: string, tuples: readonly string[], leaseMs: number | undefined): Promise<void> {
    const terms = { what: `out many to the space ${space}`, writes: true };
    await this.#run(scripts.outTuples, space, [leaseOf(leaseMs), ...tuples.map(toServer)], terms);
  }

  #want<T>(
    kind: Kind,
    space: string,
    template: string,
    wait: Wait,
    leaseMs: number,
    read: (reply: readonly Reply[]) => T,
  ): Promise<T> {
    const text = toServer(template);
    const key = spaceKey(space);
    const what = `${names[kind]} on the space ${space}`;
    let last: Asked | undefined;
    return this.#waits.run({
      ...this.#ending(space, what),
      wait,
      ask: (wid, waits) => {
        const again = last !== undefined;
        last = this.#takings.ask(key, { kind, what, template: text, waits, wid, leaseMs, again, timed: false });
        return last;
      },
      read: (reply) => {
        if (kind === "in") this.#arrivals.add(key, last!.place, last!.serial);
        return read(reply);
      },
      giveBack: (reply) => {
        if (kind === "in") this.#arrivals.add(key, last!.place, last!.serial);
        if (kind !== "rd") this.#giveBack(space, kind, reply);
      },
    });
  }

  #giveBack(space: string, kind: Kind, reply: readonly Reply[]): void {
    const values = [bytesOf(reply[1]), bytesOf(reply[2]), kind === "cl" ? "1" : "0"];
    const terms = { what: `give back to the space ${space}`, writes: true };
    this.#requests.run(scripts.returnTuple, spaceKey(space), values, terms).catch(() => undefined);
  }

  take(space: string, template: string, wait: Wait): Promise<string> {
    return this.#want("in", space, template, wait, 0, (reply) => fromServer(bytesOf(reply[1])));
  }

  read(space: string, template: string, wait: Wait): Promise<string> {
    return this.#want("rd", space, template, wait, 0, (reply) => fromServer(bytesOf(reply[1])));
  }

  claim(space: string, template: string, leaseMs: number, wait: Wait): Promise<ClaimedTuple> {
    return this.#want("cl", space, template, wait, Math.max(1, Math.floor(leaseMs)), (reply) => {
      const token = textOf(reply[2]);
      this.#claims.set(token, space);
      return { tuple: fromServer(bytesOf(reply[1])), token };
    });
  }

  async #now(kind: Kind, space: string, template: string): Promise<string | undefined> {
    const writes = kind !== "rd";
    const late = (reply: Reply): void => {
      const list = listOf(reply);
      if (writes && list[0] === 1) this.#giveBack(space, kind, list);
    };
    const what = `${names[kind]}p on the space ${space}`;
    const key = spaceKey(space);
    const taker = { kind, what, template: toServer(template), waits: false, wid: "", leaseMs: 0, again: false };
    for (;;) {
      const asked = this.#takings.ask(key, { ...taker, timed: true, late });
      const reply = await asked.answer;
      const list = listOf(reply);
      if (reply === -1 || list[0] === 3 || list[0] === 5) await this.#prepare(space, reply);
      else if (list[0] !== 1) return undefined;
      else {
        if (writes) this.#arrivals.add(key, asked.place, asked.serial);
        return fromServer(bytesOf(list[1]));
      }
    }
  }

  takeNow(space: string, template: string): Promise<string | undefined> {
    return this.#now("in", space, template);
  }

  readNow(space: string, template: string): Promise<string | undefined> {
    return this.#now("rd", space, template);
  }

  async takeMany(space: string, template: string, max: number): Promise<readonly string[]> {
    const terms = { what: `in many on the space ${space}`, writes: true };
    const reply = listOf(await this.#run(scripts.takeTuples, space, [toServer(template), max], terms));
    return reply.slice(1).map((text) => fromServer(bytesOf(text)));
  }

  async #all(space: string, template: string, counts: boolean): Promise<readonly Reply[]> {
    const terms = { what: `rd all on the space ${space}`, writes: false };
    return listOf(await this.#run(scripts.readTuples, space, [toServer(template), counts ? "1" : "0"], terms)).slice(1);
  }

  async readAll(space: string, template: string): Promise<readonly string[]> {
    return (await this.#all(space, template, false)).map((text) => fromServer(bytesOf(text)));
  }

  async count(space: string, template: string): Promise<number> {
    return numberOf((await this.#all(space, template, true))[0]);
  }

  watch(space: string, request: WatchRequest): Promise<WatchPage> {
    return this.#watch.page(space, request);
  }

  async settleClaim(space: string, settlement: ClaimSettlement): Promise<Settled> {
    const { kind, token } = settlement;
    const lease = kind === "extend" ? Math.max(1, Math.floor(settlement.leaseMs)) : 0;
    const terms = { what: `${kind} a claim on the space ${space}`, writes: true };
    const settled = await this.#requests.run(leases.settleClaim, spaceKey(space), [kind, token, lease], terms);
    if (kind !== "extend" || settled !== 1) this.#claims.delete(token);
    if (settled === 1) return undefined;
    const message = `the claim was lost before settling: its lease ended, or the space ${space} was destroyed`;
    return new BusError("stale", message, { driver: "redis" });
  }

  async renew(space: string, id: string, leaseMs: number): Promise<TupleLease> {
    const terms = { what: `renew a lease in the space ${space}`, writes: true };
    const lease = Math.min(longestMs, Math.max(1, Math.floor(leaseMs)));
    const renewed = await this.#requests.run(leases.renewTuple, spaceKey(space), [id, lease], terms);
    if (renewed === 1) return { id, expiresInMs: leaseMs };
    const message = `the tuple is no longer in the space ${space}: it was taken, or its lease ended; put it out again`;
    throw new BusError("stale", message, { driver: "redis" });
  }

  async cancel(space: string, id: string): Promise<void> {
    const terms = { what: `cancel a lease in the space ${space}`, writes: true };
    await this.#requests.run(leases.cancelTuple, spaceKey(space), [id], terms);
  }

  async destroy(space: string): Promise<void> {
    const key = spaceKey(space);
    const terms = { what: `destroy the space ${space}`, writes: true };
    const values = [this.#openings.registry("space"), space];
    while ((await this.#requests.run(leases.destroySpace, key, values, terms)) === 1);
    await this.#openings.deregister("space", space);
    this.#openings.destroyed(key);
  }

  /** What this connection has claimed goes back. */
  async close(): Promise<void> {
    const claims = [...this.#claims];
    this.#claims.clear();
    const giveBack = ([token, space]: [string, string]) => this.settleClaim(space, { kind: "nak", token });
    await Promise.allSettled([this.#arrivals.tell(), ...claims.map(giveBack)]);
  }
}
