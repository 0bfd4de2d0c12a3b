import {
  BusError,
  type ClaimSettlement,
  checkCount,
  checkDuration,
  checkToken,
  isBusError,
  type Wait,
} from "@quadrant/contract";
import type { EngineSession } from "@quadrant/engine";
import { failed } from "../failure.ts";
import type { Value, Values } from "./bytes.ts";
import { Operation } from "./operation.ts";

/** Something taken for a client that it does not have yet. */
export interface Capture {
  /** Puts it back where it was. */
  undo(): void;
  /** The client has it. */
  arrived?(): void;
}

export interface Outcome {
  readonly values: readonly Value[];
  readonly capture?: Capture | undefined;
}

/** How something was asked. */
export interface Asked {
  /** Names the request, whoever the owner is. */
  readonly ticket: string;
  /** An earlier owner may have done it. */
  readonly again: boolean;
  /** Of what waits. */
  readonly signal: AbortSignal | undefined;
}

export interface OwnerOperation {
  readonly waits: boolean;
  readonly captures: boolean;
  /** Done twice it is not what it is done once. */
  readonly writes: boolean;
  run(session: EngineSession, values: Values, asked: Asked): Promise<Outcome>;
}

const nothing: Outcome = { values: [] };

function spaceOf(values: Values): string {
  const name = values.text(0);
  checkToken("space", name);
  return name;
}

function lease(values: Values, index: number, least: number): number | undefined {
  const leaseMs = values.optionalNumber(index);
  checkDuration("leaseMs", leaseMs, least);
  return leaseMs;
}

async function take(session: EngineSession, values: Values, wait: Wait, ticket: string): Promise<Outcome> {
  const taken = await session.tuples.takeRevocable(spaceOf(values), values.text(1), wait, ticket);
  return { values: [taken.tuple], capture: { undo: taken.restore, arrived: taken.arrived } };
}

async function open(session: EngineSession, values: Values, { again }: Asked): Promise<Outcome> {
  const name = spaceOf(values);
  const pick = values.optionalText(1);
  const capacity = values.optionalNumber(2);
  const whenFull = values.optionalText(3);
  const maxScan = values.optionalNumber(4);
  const history = values.optionalNumber(5);
  checkCount("capacity", capacity);
  checkCount("maxScan", maxScan);
  checkCount("history", history, 0);
  if (pick !== undefined && pick !== "oldest" && pick !== "newest" && pick !== "random")
    throw new BusError("invalid", `pick: "${pick}" is none of oldest, newest, random`);
  if (whenFull !== undefined && whenFull !== "wait" && whenFull !== "reject")
    throw new BusError("invalid", `whenFull: "${whenFull}" is none of wait, reject`);
  if (again && session.isDestroyed("space", name))
    throw new BusError("conflict", `the space ${name} was destroyed: open it again to make it anew`);
  await session.tuples.open(name, { pick, capacity, whenFull, maxScan, history });
  return nothing;
}

async function settle(session: EngineSession, values: Values, { again }: Asked): Promise<Outcome> {
  const kind = values.text(1);
  const token = values.text(2);
  if (kind !== "ack" && kind !== "nak" && kind !== "extend")
    throw new BusError("invalid", `"${kind}" settles no claim`);
  const settlement: ClaimSettlement =
    kind === "extend" ? { kind, token, leaseMs: lease(values, 3, 1) ?? 0 } : { kind, token };
  const settled = await session.tuples.settleClaim(spaceOf(values), settlement);
  if (settled === undefined) return { values: [null] };
  // That it is gone may be its own doing, at an earlier owner.
  if (again && settled.code === "stale")
    return { values: ["indefinite", "the owner was lost meanwhile: settled before that, or the lease is gone"] };
  return { values: [settled.code, settled.message] };
}

async function claim(session: EngineSession, values: Values, { signal }: Asked): Promise<Outcome> {
  const name = spaceOf(values);
  const { tuples } = session;
  const claimed = await tuples.claim(name, values.text(1), lease(values, 2, 1) ?? 30_000, { signal });
  const undo = (): void => {
    tuples.settleClaim(name, { kind: "nak", token: claimed.token }).catch(() => undefined);
  };
  return { values: [claimed.tuple, claimed.token], capture: { undo } };
}

async function takeNow(session: EngineSession, values: Values, { ticket }: Asked): Promise<Outcome> {
  try {
    return await take(session, values, { timeoutMs: 0 }, ticket);
  } catch (error) {
    if (isBusError(error, "timeout")) return { values: [null] };
    throw error;
  }
}

async function takeMany(session: EngineSession, values: Values, { ticket }: Asked): Promise<Outcome> {
  const max = values.number(2);
  checkCount("max", max);
  const taken = await session.tuples.takeManyRevocable(spaceOf(values), values.text(1), max, ticket);
  return { values: [taken.tuples], capture: { undo: taken.restore, arrived: taken.arrived } };
}

/** So many tuples at most can be taken at once, each by a template of its own. */
const maxTemplates = 64;

async function takeAll(session: EngineSession, values: Values, { signal, ticket }: Asked): Promise<Outcome> {
  const templates = values.texts(1);
  if (templates.length > maxTemplates) throw new BusError("invalid", `at most ${maxTemplates} templates at once`);
  const taken = await session.tuples.takeAllRevocable(spaceOf(values), templates, { signal }, ticket);
  return { values: [taken.tuples], capture: { undo: taken.restore, arrived: taken.arrived } };
}

async function collect({ tuples }: EngineSession, values: Values): Promise<Outcome> {
  const target = values.text(2);
  checkToken("space", target);
  return { values: [await tuples.collect(spaceOf(values), values.text(1), target, values.number(3) === 1)] };
}

async function explain({ tuples }: EngineSession, values: Values): Promise<Outcome> {
  const { index, candidates } = await tuples.explain(spaceOf(values), values.text(1));
  return { values: [index, candidates] };
}

async function watch({ tuples }: EngineSession, values: Values, { signal }: Asked): Promise<Outcome> {
  const after = values.optionalNumber(2);
  const max = values.number(4);
  checkCount("after", after, 0);
  checkCount("max", max);
  const request = { template: values.text(1), after, follow: values.number(3) === 1, max, signal };
  const { events, last } = await tuples.watch(spaceOf(values), request);
  return { values: [last, events.map(({ kind, seq }) => `${kind} ${seq}`), events.map(({ tuple }) => tuple)] };
}

type Run = OwnerOperation["run"];
const reads = (run: Run): OwnerOperation => ({ waits: false, captures: false, writes: false, run });
const writes = (run: Run): OwnerOperation => ({ waits: false, captures: false, writes: true, run });
const captures = (waits: boolean, run: Run): OwnerOperation => ({ waits, captures: true, writes: false, run });

/** What a client can ask for; its values operation.ts lists. */
export const operations: ReadonlyMap<number, OwnerOperation> = new Map<number, OwnerOperation>([
  [Operation.sync, reads(async () => nothing)],
  [Operation.list, reads(async (session) => ({ values: [session.list("space")] }))],
  [Operation.open, reads(open)],
  [
    Operation.out,
    {
      ...writes(async ({ tuples }, values, { signal }) => {
        const { id, expiresInMs } = await tuples.out(spaceOf(values), values.text(1), lease(values, 2, 0), { signal });
        return { values: [id, expiresInMs] };
      }),
      waits: true,
    },
  ],
  [
    Operation.outMany,
    writes(async ({ tuples }, values) => {
      await tuples.outMany(spaceOf(values), values.texts(1), lease(values, 2, 0));
      return nothing;
    }),
  ],
  [Operation.take, captures(true, (session, values, { signal, ticket }) => take(session, values, { signal }, ticket))],
  [
    Operation.read,
    {
      ...reads(async ({ tuples }, values, { signal }) => ({
        values: [await tuples.read(spaceOf(values), values.text(1), { signal })],
      })),
      waits: true,
    },
  ],
  [Operation.takeNow, captures(false, takeNow)],
  [
    Operation.readNow,
    reads(async ({ tuples }, values) => ({
      values: [(await tuples.readNow(spaceOf(values), values.text(1))) ?? null],
    })),
  ],
  [Operation.takeMany, captures(false, takeMany)],
  [
    Operation.readAll,
    reads(async ({ tuples }, values) => ({ values: [await tuples.readAll(spaceOf(values), values.text(1))] })),
  ],
  [
    Operation.count,
    reads(async ({ tuples }, values) => ({ values: [await tuples.count(spaceOf(values), values.text(1))] })),
  ],
  [Operation.takeAll, captures(true, takeAll)],
  [Operation.collect, writes(collect)],
  [Operation.explain, reads(explain)],
  [Operation.watch, { ...reads(watch), waits: true }],
  [Operation.claim, captures(true, claim)],
  [Operation.settle, reads(settle)],
  [
    Operation.renew,
    reads(async ({ tuples }, values) => {
      const { id, expiresInMs } = await tuples.renew(spaceOf(values), values.text(1), lease(values, 2, 0) ?? 0);
      return { values: [id, expiresInMs] };
    }),
  ],
  [
    Operation.cancel,
    reads(async ({ tuples }, values) => {
      await tuples.cancel(spaceOf(values), values.text(1));
      return nothing;
    }),
  ],
  [
    Operation.destroy,
    writes(async ({ tuples }, values) => {
      await tuples.destroy(spaceOf(values));
      return nothing;
    }),
  ],
]);

/** Nothing of a write that another owner may have done is known here. */
export function unknown(): BusError {
  return failed("indefinite", "sent to an owner that was lost before it answered; it may or may not have happened");
}
