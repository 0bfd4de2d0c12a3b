import type {
  ClaimedTuple,
  ClaimSettlement,
  DriverOptions,
  Settled,
  SpaceSpec,
  TupleEvent,
  TupleIndexUse,
  TupleLease,
  Tuples,
  Wait,
  WatchPage,
  WatchRequest,
} from "@quadrant/contract";
import type { NatsConnection } from "../connection.ts";
import { failed } from "../failure.ts";
import type { Value, Values } from "./bytes.ts";
import { Candidate } from "./candidate.ts";
import { toldError } from "./frame.ts";
import { Operation } from "./operation.ts";
import type { OwnerPolicy } from "./owner-watch.ts";
import type { Effect } from "./pending.ts";
import { SpaceRequests } from "./space-requests.ts";

function leaseOf(values: Values): TupleLease {
  return { id: values.text(0), expiresInMs: values.number(1) };
}

function eventOf(event: string, tuple: string | undefined): TupleEvent {
  const [, kind, seq] = /^(out|in|expire|return) (\d+)$/.exec(event) ?? [];
  if (kind === undefined || tuple === undefined) throw failed("invalid", `malformed: "${event}" is no event`);
  return { kind: kind as TupleEvent["kind"], seq: Number(seq), tuple };
}

export interface TuplesTerms {
  readonly url: URL;
  readonly options: DriverOptions;
  readonly replicas: number;
  readonly policy: OwnerPolicy;
}

/** Tuple spaces, asked of the client that owns them. Nothing is set up before the first is used, unless it prefers to own. */
export class NatsTuples implements Tuples {
  readonly #connection: NatsConnection;
  readonly #terms: TuplesTerms;
  #candidate: Candidate | undefined;
  #requests: SpaceRequests | undefined;
  #closed = false;

  constructor(connection: NatsConnection, terms: TuplesTerms) {
    this.#connection = connection;
    this.#terms = terms;
    if (terms.policy === "prefer") this.#used();
  }

  #used(): SpaceRequests {
    if (this.#requests !== undefined) return this.#requests;
    if (this.#closed) throw failed("closed", "the connection has been closed: connect again");
    const { url, options, replicas, policy } = this.#terms;
    if (policy !== "never") this.#candidate = Candidate.join(url.href, options, replicas);
    this.#requests = new SpaceRequests(this.#connection, this.#candidate, policy, options);
    return this.#requests;
  }

  async #ask(operation: number, what: string, effect: Effect, values: readonly Value[]): Promise<Values> {
    return await this.#used().request(operation, what, effect, values);
  }

  async #wait(operation: number, what: string, effect: Effect, values: readonly Value[], wait: Wait): Promise<Values> {
    return await this.#used().wait(operation, what, effect, values, wait);
  }

  async list(): Promise<readonly string[]> {
    return (await this.#ask(Operation.list, "list the spaces", "reads", [])).texts(0);
  }

  async open(space: string, spec: SpaceSpec): Promise<void> {
    const { pick, capacity, whenFull, maxScan, history } = spec;
    const values = [space, pick ?? null, capacity ?? null, whenFull ?? null, maxScan ?? null, history ?? null];
    await this.#ask(Operation.open, `open space ${space}`, "settles", values);
  }

  async out(space: string, tuple: string, leaseMs: number | undefined, wait: Wait): Promise<TupleLease> {
    return leaseOf(await this.#wait(Operation.out, `out to ${space}`, "writes", [space, tuple, leaseMs ?? null], wait));
  }

  async outMany(space: string, tuples: readonly string[], leaseMs: number | undefined): Promise<void> {
    await this.#ask(Operation.outMany, `outMany to ${space}`, "writes", [space, tuples, leaseMs ?? null]);
  }

  async take(space: string, template: string, wait: Wait): Promise<string> {
    return (await this.#wait(Operation.take, `in from ${space}`, "captures", [space, template], wait)).text(0);
  }

  async read(space: string, template: string, wait: Wait): Promise<string> {
    return (await this.#wait(Operation.read, `rd from ${space}`, "reads", [space, template], wait)).text(0);
  }

  async takeNow(space: string, template: string): Promise<string | undefined> {
    return (await this.#ask(Operation.takeNow, `inp from ${space}`, "captures", [space, template])).optionalText(0);
  }

  async readNow(space: string, template: string): Promise<string | undefined> {
    return (await this.#ask(Operation.readNow, `rdp from ${space}`, "reads", [space, template])).optionalText(0);
  }

  async takeMany(space: string, template: string, max: number): Promise<readonly string[]> {
    return (await this.#ask(Operation.takeMany, `inMany from ${space}`, "captures", [space, template, max])).texts(0);
  }

  async readAll(space: string, template: string): Promise<readonly string[]> {
    return (await this.#ask(Operation.readAll, `rdAll from ${space}`, "reads", [space, template])).texts(0);
  }

  async count(space: string, template: string): Promise<number> {
    return (await this.#ask(Operation.count, `count in ${space}`, "reads", [space, template])).number(0);
  }

  async takeAll(space: string, templates: readonly string[], wait: Wait): Promise<readonly string[]> {
    return (await this.#wait(Operation.takeAll, `inAll from ${space}`, "captures", [space, templates], wait)).texts(0);
  }

  async collect(space: string, template: string, target: string, keep: boolean): Promise<number> {
    const what = `${keep ? "copyCollect" : "collect"} from ${space} to ${target}`;
    return (await this.#ask(Operation.collect, what, "writes", [space, template, target, keep ? 1 : 0])).number(0);
  }

  async explain(space: string, template: string): Promise<TupleIndexUse> {
    const use = await this.#ask(Operation.explain, `explain in ${space}`, "reads", [space, template]);
    return { index: use.text(0), candidates: use.number(1) };
  }

  async watch(space: string, { template, after, follow, max, signal }: WatchRequest): Promise<WatchPage> {
    const values = [space, template, after ?? null, follow ? 1 : 0, max];
    const what = `watch ${space}`;
    const page = follow
      ? await this.#wait(Operation.watch, what, "reads", values, { signal })
      : await this.#ask(Operation.watch, what, "reads", values);
    const tuples = page.texts(2);
    return { last: page.number(0), events: page.texts(1).map((event, index) => eventOf(event, tuples[index])) };
  }

  async claim(space: string, template: string, leaseMs: number, wait: Wait): Promise<ClaimedTuple> {
    const values = [space, template, leaseMs];
    const claimed = await this.#wait(Operation.claim, `claim from ${space}`, "captures", values, wait);
    return { tuple: claimed.text(0), token: claimed.text(1) };
  }

  async settleClaim(space: string, settlement: ClaimSettlement): Promise<Settled> {
    const leaseMs = settlement.kind === "extend" ? settlement.leaseMs : null;
    const values = [space, settlement.kind, settlement.token, leaseMs];
    const settled = await this.#ask(Operation.settle, `settle a claim of ${space}`, "settles", values);
    return settled.isNull(0) ? undefined : toldError(settled);
  }

  async renew(space: string, id: string, leaseMs: number): Promise<TupleLease> {
    return leaseOf(await this.#ask(Operation.renew, `renew a lease of ${space}`, "settles", [space, id, leaseMs]));
  }

  async cancel(space: string, id: string): Promise<void> {
    await this.#ask(Operation.cancel, `cancel a lease of ${space}`, "settles", [space, id]);
  }

  async destroy(space: string): Promise<void> {
    await this.#ask(Operation.destroy, `destroy space ${space}`, "writes", [space]);
  }

  describe(): Readonly<Record<string, unknown>> {
    return {
      owner: this.#terms.policy,
      candidate: this.#candidate?.standing ?? false,
      requests: this.#requests?.size ?? 0,
    };
  }

  /**
   * Before the connection is closed. What was asked for has until `deadline` to be answered: its outcome would be unknown. The
   * last of this process that could own the spaces gives the seat up.
   */
  async close(deadline: number): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#requests?.answered(deadline);
    this.#requests?.close();
    await this.#candidate?.leave();
  }
}
