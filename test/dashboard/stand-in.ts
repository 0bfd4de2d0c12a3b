/**
 * Stands in for the game services in the tests of the page: Tic-Tac-Toe, its matches in a log of the bus, each command decided
 * by whoever sends it. No matchmaker, no bots, no clocks.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Bus, BusError } from "@quadrant/bus";
import type { Games, MatchSummary, MatchView, Player, Reply, Seat, Seated, Step, StepEvent } from "@quadrant/dashboard";
import { type Command, decide, evolve, type Grid, type Match, newMatch, ticTacToe } from "@quadrant/games";

interface Entry {
  readonly events: readonly StepEvent[];
  readonly names?: readonly [string | null, string | null] | undefined;
  readonly tokens?: readonly [string, string | null] | undefined;
  readonly outcome?: { readonly winner: Seat | null; readonly by: string } | undefined;
  readonly at: number;
}

interface State {
  readonly match: Match<Grid>;
  readonly names: readonly [string | null, string | null];
  readonly tokens: readonly [string, string | null];
  readonly view: MatchView;
  readonly version: number;
  readonly seq: number;
  readonly at: number;
}

const game = ticTacToe();
const logName = "stand-in";
const token = (): string => randomBytes(12).toString("base64url");

function next(before: State | undefined, { events, names, tokens, outcome, at }: Entry, seq: number): State {
  let match = before?.match ?? newMatch(game, 1);
  for (const event of events) {
    if (event.kind === "moved")
      match = evolve(game, match, event as Parameters<typeof evolve<Grid, never>>[2] as never);
  }
  const all = names ?? before?.names ?? [null, null];
  const result = outcome ?? before?.view.result;
  const offered = events.find(({ kind }) => kind === "draw-offered")?.seat;
  const moved = events.some(({ kind }) => kind === "moved");
  const state = result !== undefined ? "ended" : all[1] === null ? "open" : "running";
  const view: MatchView = {
    state,
    names: all,
    toMove: state === "running" ? match.turn : null,
    board: match.board,
    result,
    drawOfferedBy: offered ?? (moved ? null : (before?.view.drawOfferedBy ?? null)),
    rematchOfferedBy: null,
  };
  const known = tokens ?? before?.tokens ?? ["", null];
  return { match, names: all, tokens: known, view, version: (before?.version ?? 0) + 1, seq, at };
}

/** Tries again for as long as the broker is away. */
async function persist<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BusError && error.retryable) || signal?.aborted) throw error;
      await pause(50);
    }
  }
}

async function stateOf(bus: Bus, match: string): Promise<State | undefined> {
  return persist(async () => {
    let state: State | undefined;
    const log = await bus.log<Entry>(logName);
    for await (const { data, seq } of log.read({ filter: `tictactoe.${match}`, to: "end" })) {
      state = next(state, data, seq);
    }
    return state;
  });
}

function append(bus: Bus, match: string, entry: Entry, expectLast: number, id: string): Promise<void> {
  return persist(async () => {
    const log = await bus.log<Entry>(logName);
    await log.append(`tictactoe.${match}`, entry, { id, expectLast });
  });
}

async function* follow(bus: Bus, match: string, from = 1, signal?: AbortSignal): AsyncGenerator<Step> {
  let version = 0;
  for (;;) {
    let state: State | undefined;
    try {
      const log = await bus.log<Entry>(logName);
      for await (const { data, seq } of log.read({ from: "first", filter: `tictactoe.${match}`, signal })) {
        state = next(state, data, seq);
        if (state.version <= version) continue;
        version = state.version;
        const step = { match, game: game.name, version, at: data.at, events: data.events, view: state.view };
        if (version >= from) yield step;
        if (state.view.state === "ended") return;
      }
    } catch (error) {
      if (!(error instanceof BusError && error.retryable)) throw error;
    }
    if (signal?.aborted) return;
    await pause(50);
  }
}

class StandInSeat implements Seated {
  readonly match: string;
  readonly game: string = game.name;
  readonly seat: Seat;
  readonly token: string;
  readonly #bus: Bus;

  constructor(bus: Bus, match: string, seat: Seat, own: string) {
    this.#bus = bus;
    this.match = match;
    this.seat = seat;
    this.token = own;
  }

  move(move: unknown, { expectedVersion }: { readonly expectedVersion?: number } = {}): Promise<Reply> {
    return this.#command({ kind: "move", seat: this.seat, move }, expectedVersion);
  }
  resign(): Promise<Reply> {
    return this.#command({ kind: "resign", seat: this.seat });
  }
  offerDraw(): Promise<Reply> {
    return this.#command({ kind: "offer-draw", seat: this.seat });
  }
  acceptDraw(): Promise<Reply> {
    return this.#command({ kind: "accept-draw", seat: this.seat });
  }
  declineDraw(): Promise<Reply> {
    return Promise.reject(new BusError("unsupported", "the stand-in knows no refusal of a draw"));
  }
  claimTime(): Promise<Reply> {
    return Promise.reject(new BusError("unsupported", "the stand-in has no clock"));
  }
  rematch(): Promise<Seated> {
    return Promise.reject(new BusError("unsupported", "the stand-in knows no rematch"));
  }
  follow({ from, signal }: { readonly from?: number; readonly signal?: AbortSignal } = {}): AsyncIterable<Step> {
    return follow(this.#bus, this.match, from, signal);
  }
  async [Symbol.asyncDispose](): Promise<void> {}

  async #command(command: Command, expectedVersion?: number): Promise<Reply> {
    const id = token();
    const refused = (code: string, message: string, version: number): Reply => ({
      id,
      ok: false,
      code,
      message,
      version,
    });
    const state = await stateOf(this.#bus, this.match);
    if (state === undefined) return refused("NO_SUCH_MATCH", "there is no such match", 0);
    if (state.view.state === "open") return refused("NOT_STARTED", "nobody has joined yet", state.version);
    if (state.view.state === "ended") return refused("MATCH_OVER", "the match has ended", state.version);
    if (expectedVersion !== undefined && expectedVersion !== state.version) {
      return refused("CONFLICT", `the match is at version ${state.version}`, state.version);
    }
    const decision = decide(game, { ...state.match, drawOffer: state.view.drawOfferedBy }, command);
    if ("refused" in decision) return refused(decision.refused.code, decision.refused.message, state.version);
    const ended = decision.events.find((event) => event.kind === "ended");
    const outcome = ended && { winner: ended.outcome.winner, by: ended.by === "rules" ? "board" : ended.by };
    const entry: Entry = { events: decision.events, outcome, at: Date.now() };
    await append(this.#bus, this.match, entry, state.seq, id);
    return { id, ok: true, version: state.version + 1 };
  }
}

class StandInPlayer implements Player {
  readonly #bus: Bus;
  readonly #name: string;

  constructor(bus: Bus, name: string) {
    this.#bus = bus;
    this.#name = name;
  }

  async create(): Promise<Seated> {
    const match = token();
    const own = token();
    const events = [{ kind: "created", seat: 0 as const }];
    const entry: Entry = { events, names: [this.#name, null], tokens: [own, null], at: Date.now() };
    await append(this.#bus, match, entry, 0, match);
    return new StandInSeat(this.#bus, match, 0, own);
  }

  async join(match: string): Promise<Seated> {
    const state = await stateOf(this.#bus, match);
    if (state === undefined) throw new BusError("invalid", "there is no such match");
    if (state.view.state !== "open") throw new BusError("conflict", "both seats are taken");
    const own = token();
    const names: Entry["names"] = [state.names[0], this.#name];
    const entry: Entry = {
      events: [{ kind: "joined", seat: 1 }],
      names,
      tokens: [state.tokens[0], own],
      at: Date.now(),
    };
    await append(this.#bus, match, entry, state.seq, own);
    return new StandInSeat(this.#bus, match, 1, own);
  }

  seek(): Promise<Seated> {
    return Promise.reject(new BusError("unsupported", "the stand-in has no matchmaker"));
  }
  playBot(): Promise<Seated> {
    return Promise.reject(new BusError("unsupported", "the stand-in has no bots"));
  }

  async resume({ match, token: own }: { readonly match: string; readonly token: string }): Promise<Seated> {
    const state = await stateOf(this.#bus, match);
    const seat = state?.tokens.indexOf(own) ?? -1;
    if (seat < 0) throw new BusError("denied", "that token has no seat in this match");
    return new StandInSeat(this.#bus, match, seat as Seat, own);
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function summaries(bus: Bus): Promise<readonly MatchSummary[]> {
  const states = new Map<string, State>();
  const log = await bus.log<Entry>(logName);
  for await (const { subject, data, seq } of log.read({ to: "end" })) {
    const match = subject.split(".")[1] ?? "";
    states.set(match, next(states.get(match), data, seq));
  }
  return [...states].map(([match, { view, version, at }]) => {
    const winner = view.result?.winner;
    const result = view.result && (winner === null || winner === undefined ? "a draw" : `${view.names[winner]} won`);
    return { match, game: game.name, state: view.state, names: view.names, version, at, result };
  });
}

export function standInGames(bus: Bus): Games {
  return {
    open: (name) => Promise.resolve(new StandInPlayer(bus, name)),
    spectate: (match, { from, signal } = {}) => follow(bus, match, from, signal),
    matches: () => summaries(bus),
    leaders: async () => {
      const ended = (await summaries(bus)).filter(({ state }) => state === "ended");
      const names = new Set(ended.flatMap(({ names: both }) => both.filter((name) => name !== null)));
      return [...names].map((name) => {
        const played = ended.filter(({ names: both }) => both.includes(name)).length;
        const won = ended.filter(({ result }) => result === `${name} won`).length;
        const drawn = ended.filter(({ names: both, result }) => both.includes(name) && result === "a draw").length;
        return { name, rating: 1200 + 16 * (2 * won + drawn - played), played, won, drawn, lost: played - won - drawn };
      });
    },
  };
}
