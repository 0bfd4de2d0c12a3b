import { randomBytes, randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError, type Claim, type TupleSpace } from "@quadrant/bus";
import { kindOf, lobbyName, pairingLeaseMs, readSeeker, type Seeker, seatedLeaseMs } from "./lobby.ts";
import { pairs, type Tolerance, type Waiting } from "./pairing.ts";
import { untilStopped } from "./running.ts";

export interface MatchmakerOptions {
  /** How long it lets players gather between two looks. Default 100 ms. */
  readonly pauseMs?: number | undefined;
  /** Default 100 points, and 50 more for each second of waiting. */
  readonly tolerance?: Tolerance | undefined;
}

interface Found extends Waiting {
  readonly game: string;
  readonly seeker: Seeker;
}

/** Pairs those who wait in the lobby. Any number may run at once; one that dies gives back whom it held. */
export async function startMatchmaker(bus: Bus, options: MatchmakerOptions = {}): Promise<AsyncDisposable> {
  const { pauseMs = 100, tolerance = { base: 100, perSecond: 50 } } = options;
  const lobby = await bus.space(lobbyName);
  /** Since when this matchmaker has seen whom. */
  const seen = new Map<string, number>();
  return untilStopped(async (signal) => {
    await lobby.rd(["seeking", String, String, Object], { signal });
    const waiting = await whoWaits(lobby, seen);
    for (const [one, other] of pairs(waiting, tolerance)) {
      if (signal.aborted) return;
      await seat(lobby, one as Found, other as Found);
    }
    await sleep(pauseMs, undefined, { signal });
  });
}

async function whoWaits(lobby: TupleSpace, seen: Map<string, number>): Promise<readonly Found[]> {
  const now = performance.now();
  const found: Found[] = [];
  for (const [, game, ticket, field] of await lobby.rdAll(["seeking", String, String, Object])) {
    const seeker = readSeeker(field);
    if (seeker === undefined) continue;
    const since = seen.get(ticket) ?? now;
    seen.set(ticket, since);
    found.push({ ticket, game, seeker, kind: kindOf(game, seeker), rating: seeker.rating, waitedMs: now - since });
  }
  const here = new Set(found.map(({ ticket }) => ticket));
  for (const ticket of seen.keys()) if (!here.has(ticket)) seen.delete(ticket);
  return found;
}

type Held = Claim<readonly ["seeking", string, string, { readonly [key: string]: unknown }]>;

/** undefined where another has it, or it is gone. */
async function hold(lobby: TupleSpace, { game, ticket }: Found): Promise<Held | undefined> {
  const wait = { leaseMs: pairingLeaseMs, timeoutMs: 0 };
  try {
    return (await lobby.claim(["seeking", game, ticket, Object], wait)) as Held;
  } catch (error) {
    if (error instanceof BusError && error.code === "timeout") return undefined;
    throw error;
  }
}

/** Both get the same answer, or neither does. Whoever dies on the way holds two claims, which end by themselves. */
async function seat(lobby: TupleSpace, one: Found, other: Found): Promise<void> {
  // All claim in the same order, and none waits for one while holding the other.
  const [first, second] = one.ticket < other.ticket ? ([one, other] as const) : ([other, one] as const);
  const held = await hold(lobby, first);
  if (held === undefined) return;
  try {
    const alsoHeld = await hold(lobby, second);
    if (alsoHeld === undefined) return;
    try {
      await answer(lobby, [first, held], [second, alsoHeld]);
    } finally {
      await alsoHeld[Symbol.asyncDispose]();
    }
  } finally {
    await held[Symbol.asyncDispose]();
  }
}

async function answer(
  lobby: TupleSpace,
  ...both: readonly [readonly [Found, Held], readonly [Found, Held]]
): Promise<void> {
  let used = false;
  for (const [found, held] of both) {
    if ((await lobby.rdp(["seated", found.game, found.ticket, Object])) === undefined) continue;
    // A matchmaker that died between answer and acknowledgement has left it to us.
    await held.ack();
    used = true;
  }
  if (used || both.some(([, held]) => held.signal.aborted)) return;
  const match = randomBytes(12).toString("hex");
  const seats = randomInt(2) === 0 ? both : both.toReversed();
  const seekers = seats.map(([{ seeker }]) => ({ ...seeker }));
  await lobby.outMany(
    seats.map(([{ game, ticket }], at) => ["seated", game, ticket, { match, seat: at, seekers }]),
    { leaseMs: seatedLeaseMs },
  );
  await Promise.all(both.map(([, held]) => held.ack()));
}
