import type {
  ClaimedTuple,
  ClaimSettlement,
  Settled,
  SpaceSpec,
  TupleIndexUse,
  TupleLease,
  Tuples,
  Wait,
  WatchPage,
  WatchRequest,
} from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import { readEvent } from "../wire/transfer.ts";
import { decodeError, type Values } from "../wire/values.ts";
import type { Requests } from "./requests.ts";
import type { Restorer } from "./restorer.ts";

function leaseOf(values: Values): TupleLease {
  return { id: values.string(0), expiresInMs: values.number(1) };
}

/** Tuple spaces over the hub. */
export class ClientTuples implements Tuples {
  readonly #requests: Requests;
  readonly #restorer: Restorer;

  constructor(requests: Requests, restorer: Restorer) {
    this.#requests = requests;
    this.#restorer = restorer;
  }

  async open(space: string, spec: SpaceSpec): Promise<void> {
    const { pick, capacity, whenFull, maxScan, history } = spec;
    const values = [space, pick ?? null, capacity ?? null, whenFull ?? null, maxScan ?? null, history ?? null];
    await this.#requests.request(Operation.spaceOpen, `open space ${space}`, "writes", values);
    this.#restorer.opened(`space ${space}`, Operation.spaceOpen, values);
  }

  async out(space: string, tuple: string, leaseMs: number | undefined, wait: Wait): Promise<TupleLease> {
    return leaseOf(
      await this.#requests.wait(Operation.spaceOut, `out to ${space}`, "writes", [space, tuple, leaseMs ?? null], wait),
    );
  }

  async outMany(space: string, tuples: readonly string[], leaseMs: number | undefined): Promise<void> {
    await this.#requests.request(Operation.spaceOutMany, `outMany to ${space}`, "writes", [
      space,
      tuples,
      leaseMs ?? null,
    ]);
  }

  async take(space: string, template: string, wait: Wait): Promise<string> {
    return (
      await this.#requests.wait(Operation.spaceTake, `in from ${space}`, "captures", [space, template], wait)
    ).string(0);
  }

  async read(space: string, template: string, wait: Wait): Promise<string> {
    return (
      await this.#requests.wait(Operation.spaceRead, `rd from ${space}`, "reads", [space, template], wait)
    ).string(0);
  }

  async takeNow(space: string, template: string): Promise<string | undefined> {
    return (
      await this.#requests.request(Operation.spaceTakeNow, `inp from ${space}`, "captures", [space, template])
    ).optionalString(0);
  }

  async readNow(space: string, template: string): Promise<string | undefined> {
    return (
      await this.#requests.request(Operation.spaceReadNow, `rdp from ${space}`, "reads", [space, template])
    ).optionalString(0);
  }

  async takeMany(space: string, template: string, max: number): Promise<readonly string[]> {
    const values = [space, template, max];
    const taken = await this.#requests.request(Operation.spaceTakeMany, `inMany from ${space}`, "captures", values);
    return taken.strings(0);
  }

  async readAll(space: string, template: string): Promise<readonly string[]> {
    return (
      await this.#requests.request(Operation.spaceReadAll, `rdAll from ${space}`, "reads", [space, template])
    ).strings(0);
  }

  async count(space: string, template: string): Promise<number> {
    return (await this.#requests.request(Operation.spaceCount, `count in ${space}`, "reads", [space, template])).number(
      0,
    );
  }

  async takeAll(space: string, templates: readonly string[], wait: Wait): Promise<readonly string[]> {
    const values = [space, templates];
    const taken = await this.#requests.wait(Operation.spaceTakeAll, `inAll from ${space}`, "captures", values, wait);
    return taken.strings(0);
  }

  async collect(space: string, template: string, target: string, keep: boolean): Promise<number> {
    const what = `${keep ? "copyCollect" : "collect"} from ${space} to ${target}`;
    const values = [space, template, target, keep];
    return (await this.#requests.request(Operation.spaceCollect, what, "writes", values)).number(0);
  }

  async explain(space: string, template: string): Promise<TupleIndexUse> {
    const values = [space, template];
    const use = await this.#requests.request(Operation.spaceExplain, `explain in ${space}`, "reads", values);
    return { index: use.string(0), candidates: use.number(1) };
  }

  async watch(space: string, { template, after, follow, max, signal }: WatchRequest): Promise<WatchPage> {
    // Only what follows waits for another party; the rest has the connection's deadline.
    const wait = { signal, timeoutMs: follow ? undefined : this.#requests.timeoutMs };
    const values = [space, template, after ?? null, follow, max];
    const page = await this.#requests.wait(Operation.spaceWatch, `watch ${space}`, "reads", values, wait);
    return { events: page.list(0).map(readEvent), last: page.number(1) };
  }

  async claim(space: string, template: string, leaseMs: number, wait: Wait): Promise<ClaimedTuple> {
    const values = [space, template, leaseMs];
    const claimed = await this.#requests.wait(Operation.spaceClaim, `claim from ${space}`, "captures", values, wait);
    return { tuple: claimed.string(0), token: claimed.string(1) };
  }

  async settleClaim(space: string, settlement: ClaimSettlement): Promise<Settled> {
    const leaseMs = settlement.kind === "extend" ? settlement.leaseMs : null;
    const values = [space, settlement.kind, settlement.token, leaseMs];
    const settled = await this.#requests.request(
      Operation.spaceSettle,
      `settle a claim of ${space}`,
      "settles",
      values,
    );
    return settled.raw(0) === null ? undefined : decodeError(settled.values(0));
  }

  async renew(space: string, id: string, leaseMs: number): Promise<TupleLease> {
    return leaseOf(
      await this.#requests.request(Operation.spaceRenew, `renew a lease of ${space}`, "writes", [space, id, leaseMs]),
    );
  }

  async cancel(space: string, id: string): Promise<void> {
    await this.#requests.request(Operation.spaceCancel, `cancel a lease of ${space}`, "writes", [space, id]);
  }

  async destroy(space: string): Promise<void> {
    await this.#requests.request(Operation.spaceDestroy, `destroy space ${space}`, "writes", [space]);
    this.#restorer.destroyed(`space ${space}`);
  }
}
