import {
  BusError,
  type ClaimSettlement,
  checkCount,
  checkDuration,
  checkToken,
  isBusError,
  type TupleLease,
  type Wait,
} from "@quadrant/contract";
import type { RevocableTuple } from "@quadrant/engine";
import { Operation } from "../wire/operation.ts";
import { eventRow } from "../wire/transfer.ts";
import type { Values } from "../wire/values.ts";
import { encodeError } from "../wire/values.ts";
import { maxPayloadBytes } from "./limits.ts";
import { assertKept, doubted } from "./loans.ts";
import type { Asked, HubOperation, Outcome } from "./operations.ts";
import type { HubSession } from "./session.ts";

function space(values: Values): string {
  const name = values.string(0);
  checkToken("space", name);
  return name;
}

function tupleText(text: string): string {
  if (Buffer.byteLength(text) > maxPayloadBytes * 2)
    throw new BusError("too-large", "a tuple larger than the hub takes");
  return text;
}

function lease(values: Values, index: number, least: number): number | undefined {
  const leaseMs = values.optionalNumber(index);
  checkDuration("leaseMs", leaseMs, least);
  return leaseMs;
}

function plain(run: HubOperation["run"]): HubOperation {
  return { waits: false, captures: false, run };
}

// What may wait for long is not written as async functions: these would keep what was asked, and how, until they end.

function taken({ tuple, restore, arrived }: RevocableTuple): Outcome {
  return { values: [tuple], capture: { undo: restore, arrived } };
}

function take(session: HubSession, values: Values, wait: Wait, { ticket }: Asked): Promise<Outcome> {
  return session.engine.tuples.takeRevocable(space(values), values.string(1), wait, ticket).then(taken);
}

function claim(session: HubSession, values: Values, signal: AbortSignal | undefined): Promise<Outcome> {
  const name = space(values);
  const { tuples } = session.engine;
  return tuples.claim(name, values.string(1), lease(values, 2, 1) ?? 30_000, { signal }).then((claimed) => {
    const undo = (): void => {
      tuples.settleClaim(name, { kind: "nak", token: claimed.token }).catch(() => undefined);
    };
    return { values: [claimed.tuple, claimed.token], capture: { undo } };
  });
}

function stored({ id, expiresInMs }: TupleLease): Outcome {
  return { values: [id, expiresInMs] };
}

function seen(tuple: string): Outcome {
  return { values: [tuple] };
}

function watch(session: HubSession, values: Values, signal: AbortSignal | undefined): Promise<Outcome> {
  const after = values.optionalNumber(2);
  const max = values.number(4);
  checkCount("after", after, 0);
  checkCount("max", max);
  const request = { template: values.string(1), after, follow: values.boolean(3), max, signal };
  return session.engine.tuples
    .watch(space(values), request)
    .then(({ events, last }) => ({ values: [events.map(eventRow), last] }));
}

/** So many tuples at most can be taken at once, each by a template of its own. */
const maxTemplates = 64;

async function takeAll(
  session: HubSession,
  values: Values,
  signal: AbortSignal | undefined,
  { ticket }: Asked,
): Promise<Outcome> {
  const templates = values.strings(1);
  if (templates.length > maxTemplates) throw new BusError("invalid", `at most ${maxTemplates} templates at once`);
  const taken = await session.engine.tuples.takeAllRevocable(space(values), templates, { signal }, ticket);
  return { values: [taken.tuples], capture: { undo: taken.restore, arrived: taken.arrived } };
}

/** Tuple spaces. Each value list begins with the space's name; tuples and templates are their texts. */
export const spaceOperations: readonly (readonly [number, HubOperation])[] = [
  [
    // [space, pick?, capacity?, whenFull?, maxScan?, history?]
    Operation.spaceOpen,
    plain(async (session, values, _, { again }) => {
      const pick = values.optionalString(1);
      const capacity = values.optionalNumber(2);
      const whenFull = values.optionalString(3);
      const maxScan = values.optionalNumber(4);
      const history = values.optionalNumber(5);
      checkCount("capacity", capacity);
      checkCount("maxScan", maxScan);
      checkCount("history", history, 0);
      if (pick !== undefined && pick !== "oldest" && pick !== "newest" && pick !== "random") {
        throw new BusError("invalid", `pick: "${pick}" is none of oldest, newest, random`);
      }
      if (whenFull !== undefined && whenFull !== "wait" && whenFull !== "reject") {
        throw new BusError("invalid", `whenFull: "${whenFull}" is none of wait, reject`);
      }
      if (again) assertKept(session, "space", space(values));
      await session.engine.tuples.open(space(values), { pick, capacity, whenFull, maxScan, history });
      return { values: [] };
    }),
  ],
  [
    // [space, tuple, leaseMs?] → [id, expiresInMs]
    Operation.spaceOut,
    {
      waits: true,
      captures: false,
      run: (session, values, signal) => {
        const { tuples } = session.engine;
        return tuples.out(space(values), tupleText(values.string(1)), lease(values, 2, 0), { signal }).then(stored);
      },
    },
  ],
  [
    // [space, tuples, leaseMs?]
    Operation.spaceOutMany,
    plain(async (session, values) => {
      await session.engine.tuples.outMany(space(values), values.strings(1), lease(values, 2, 0));
      return { values: [] };
    }),
  ],
  [
    // [space, template] → [tuple]
    Operation.spaceTake,
    { waits: true, captures: true, run: (session, values, signal, asked) => take(session, values, { signal }, asked) },
  ],
  [
    // [space, template] → [tuple]
    Operation.spaceRead,
    {
      waits: true,
      captures: false,
      run: (session, values, signal) =>
        session.engine.tuples.read(space(values), values.string(1), { signal }).then(seen),
    },
  ],
  [
    // [space, template] → [tuple or null]
    Operation.spaceTakeNow,
    {
      waits: false,
      captures: true,
      run: async (session, values, _, asked) => {
        try {
          return await take(session, values, { timeoutMs: 0 }, asked);
        } catch (error) {
          if (isBusError(error, "timeout")) return { values: [null] };
          throw error;
        }
      },
    },
  ],
  [
    // [space, template] → [tuple or null]
    Operation.spaceReadNow,
    plain(async (session, values) => ({
      values: [(await session.engine.tuples.readNow(space(values), values.string(1))) ?? null],
    })),
  ],
  [
    // [space, template, max] → [tuples]
    Operation.spaceTakeMany,
    {
      waits: false,
      captures: true,
      run: async (session, values, _, { ticket }) => {
        const max = values.number(2);
        checkCount("max", max);
        const { tuples } = session.engine;
        const taken = await tuples.takeManyRevocable(space(values), values.string(1), max, ticket);
        return { values: [taken.tuples], capture: { undo: taken.restore, arrived: taken.arrived } };
      },
    },
  ],
  [
    // [space, template] → [tuples]
    Operation.spaceReadAll,
    plain(async (session, values) => ({
      values: [await session.engine.tuples.readAll(space(values), values.string(1))],
    })),
  ],
  [
    // [space, template] → [count]
    Operation.spaceCount,
    plain(async (session, values) => ({
      values: [await session.engine.tuples.count(space(values), values.string(1))],
    })),
  ],
  [
    // [space, templates] → [tuples]
    Operation.spaceTakeAll,
    { waits: true, captures: true, run: takeAll },
  ],
  [
    // [space, template, target, keep] → [count]
    Operation.spaceCollect,
    plain(async (session, values) => {
      const target = values.string(2);
      checkToken("space", target);
      const keep = values.boolean(3);
      return { values: [await session.engine.tuples.collect(space(values), values.string(1), target, keep)] };
    }),
  ],
  [
    // [space, template] → [index, candidates]
    Operation.spaceExplain,
    plain(async (session, values) => {
      const { index, candidates } = await session.engine.tuples.explain(space(values), values.string(1));
      return { values: [index, candidates] };
    }),
  ],
  [
    // [space, template, after?, follow, max] → [events, last]
    Operation.spaceWatch,
    { waits: true, captures: false, run: (session, values, signal) => watch(session, values, signal) },
  ],
  [
    // [space, template, leaseMs] → [tuple, token]
    Operation.spaceClaim,
    { waits: true, captures: true, run: claim },
  ],
  [
    // [space, kind, token, leaseMs?] → [error or null]
    Operation.spaceSettle,
    plain(async (session, values, _, { again }) => {
      const kind = values.string(1);
      const token = values.string(2);
      if (kind !== "ack" && kind !== "nak" && kind !== "extend")
        throw new BusError("invalid", `"${kind}" settles no claim`);
      const settlement: ClaimSettlement =
        kind === "extend" ? { kind, token, leaseMs: lease(values, 3, 1) ?? 0 } : { kind, token };
      const settled = doubted(await session.engine.tuples.settleClaim(space(values), settlement), again);
      return { values: [settled === undefined ? null : encodeError(settled)] };
    }),
  ],
  [
    // [space, id, leaseMs] → [id, expiresInMs]
    Operation.spaceRenew,
    plain(async (session, values) => {
      const renewed = await session.engine.tuples.renew(space(values), values.string(1), lease(values, 2, 0) ?? 0);
      return { values: [renewed.id, renewed.expiresInMs] };
    }),
  ],
  [
    // [space, id]
    Operation.spaceCancel,
    plain(async (session, values) => {
      await session.engine.tuples.cancel(space(values), values.string(1));
      return { values: [] };
    }),
  ],
  [
    // [space]
    Operation.spaceDestroy,
    plain(async (session, values) => {
      await session.engine.tuples.destroy(space(values));
      return { values: [] };
    }),
  ],
];
