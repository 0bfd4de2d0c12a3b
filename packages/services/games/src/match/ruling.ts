import type { Seat, Violation } from "../game.ts";
import { decide } from "../match.ts";
import { askedHash, type MatchCommand } from "./command.ts";
import { type Entry, type MatchFact, sha256 } from "./entry.ts";
import { deadlineOf, stateOf, type Table } from "./table.ts";

export type RefusalCode =
  | "MALFORMED"
  | "UNSUPPORTED"
  | "NO_SUCH_GAME"
  | "NO_SUCH_MATCH"
  | "UNAUTHORIZED"
  | "NO_SEAT"
  | "ID_REUSED"
  | "NOT_STARTED"
  | "ALREADY_STARTED"
  | "MATCH_OVER"
  | "NOT_OVER"
  | "NOT_YOUR_MARK"
  | "NOT_YOUR_TURN"
  | "CONFLICT"
  | "SEAT_TAKEN"
  | "NO_OFFER"
  | "ALREADY_OFFERED"
  | "NO_CLOCK"
  | "TIME_LEFT"
  | Violation["code"];

export type Ruling =
  | { readonly entry: Entry }
  | { readonly refused: RefusalCode; readonly message: string }
  /** It has been accepted before, as that version. */
  | { readonly known: number };

const other = (seat: Seat): Seat => (seat === 0 ? 1 : 0);
/** The match that a rematch makes: the same, whoever makes it. */
export const rematchOf = (match: string): string => sha256(`rematch of ${match}`).slice(0, 24);

/** The seat of a token; undefined where it has none. */
export function seatOfToken({ seats }: Table, token: string): Seat | undefined {
  const hash = sha256(token);
  return seats[0]?.hash === hash ? 0 : seats[1]?.hash === hash ? 1 : undefined;
}

type Verdict = readonly MatchFact[] | { readonly refused: RefusalCode; readonly message: string };
const refuse = (refused: RefusalCode, message: string): Verdict => ({ refused, message });

/**
 * What a command leads to. Pure: the clock's reading `at` comes in. In the order of the checks: match, seat, duplicate, started,
 * over, mark, then the command's own: turn, version, the game's rules.
 */
export function rule(
  table: Table | undefined,
  command: MatchCommand,
  at: number,
  known: (id: string) => { readonly version: number; readonly asked: string } | undefined,
): Ruling {
  const asked = askedHash(command);
  const stored = (): Ruling | undefined => {
    const before = known(command.id);
    if (before === undefined) return undefined;
    if (before.asked === asked) return { known: before.version };
    return { refused: "ID_REUSED", message: "another command had this id" };
  };
  let seat: Seat | null = null;
  if (table === undefined) {
    if (command.kind !== "create") return { refused: "NO_SUCH_MATCH", message: "there is no such match" };
  } else if (needsSeat(command)) {
    const { token } = command;
    if (token === undefined)
      return { refused: "NO_SEAT", message: "who only watches cannot do that: the token is missing" };
    const found = seatOfToken(table, token);
    if (found === undefined) return { refused: "UNAUTHORIZED", message: "this token has no seat in the match" };
    seat = found;
  }
  const before = stored();
  if (before !== undefined) return before;
  const verdict = table === undefined ? creation(command) : verdictOn(table, command, seat, at);
  if ("refused" in verdict) return verdict;
  const joined = verdict[0]?.kind === "joined" ? verdict[0].seat : seat;
  const version = (table?.version ?? 0) + 1;
  return { entry: { v: 1, id: command.id, asked, command: command.kind, version, seat: joined, at, events: verdict } };
}

/** Time may be claimed by anybody: the clock decides it. */
const needsSeat = ({ kind }: MatchCommand): boolean => kind !== "create" && kind !== "join" && kind !== "claim-time";

function creation(command: MatchCommand): Verdict {
  if (command.kind !== "create") return refuse("NO_SUCH_MATCH", "there is no such match");
  const { seed, turnMs, seats } = command;
  return [{ kind: "created", seed, turnMs, seats }];
}

function verdictOn(table: Table, command: MatchCommand, seat: Seat | null, at: number): Verdict {
  const state = stateOf(table);
  if (command.kind === "create") return refuse("CONFLICT", "there is a match of this name");
  if (command.kind === "join") return joining(table, command.name, sha256(command.token));
  if (command.kind === "cancel") {
    if (state === "running") return refuse("ALREADY_STARTED", "both seats are taken: resign instead");
    if (state === "ended") return refuse("MATCH_OVER", "the match has ended");
    return [{ kind: "ended", outcome: { winner: null }, by: "cancelled" }];
  }
  if (state === "open") return refuse("NOT_STARTED", "the other seat is still open");
  if (command.kind === "rematch") return rematch(table, seat as Seat);
  if (state === "ended") return refuse("MATCH_OVER", `the match has ended: ${resultText(table)}`);
  if (command.seat !== undefined && seat !== null && command.seat !== seat) {
    return refuse("NOT_YOUR_MARK", `your seat is ${seat}`);
  }
  if (command.kind === "claim-time") return claim(table, at);
  if (command.kind === "move") return moving(table, command.move, command.expectedVersion, seat as Seat);
  return talking(table, command.kind, seat as Seat);
}

function resultText({ result, seats }: Table): string {
  if (result?.winner === null || result === undefined) return `no winner, by ${result?.by}`;
  return `${seats[result.winner]?.name} (seat ${result.winner}) won, by ${result.by}`;
}

function joining(table: Table, name: string, hash: string): Verdict {
  if (table.result !== undefined) return refuse("MATCH_OVER", `the match has ended: ${resultText(table)}`);
  const seat = table.seats.indexOf(null);
  if (seat < 0) return refuse("SEAT_TAKEN", "both seats are taken");
  if (table.seats.some((held) => held?.hash === hash))
    return refuse("SEAT_TAKEN", "this token has a seat in the match");
  return [{ kind: "joined", seat: seat as Seat, name, hash }];
}

function claim(table: Table, at: number): Verdict {
  const deadline = deadlineOf(table);
  if (deadline === undefined) return refuse("NO_CLOCK", "this match has no clock");
  if (at < deadline) return refuse("TIME_LEFT", `${deadline - at} ms are left`);
  return [{ kind: "ended", outcome: { winner: other(table.play.turn) }, by: "clock" }];
}

function moving({ game, play, version }: Table, move: unknown, expected: number | undefined, seat: Seat): Verdict {
  if (game.moves.read(move) === undefined) return refuse("MALFORMED", `this is no move of ${game.name}`);
  if (play.turn !== seat) return refuse("NOT_YOUR_TURN", "the other seat is to move");
  if (expected !== undefined && expected !== version) return refuse("CONFLICT", `the match is at version ${version}`);
  const decision = decide(game, play, { kind: "move", seat, move });
  if ("refused" in decision) return refuse(decision.refused.code, decision.refused.message);
  return decision.events.map((event): MatchFact => {
    if (event.kind === "ended") return { ...event, by: event.by === "rules" ? "board" : event.by };
    return event;
  });
}

function talking(table: Table, kind: string, seat: Seat): Verdict {
  if (kind === "resign") return [{ kind: "ended", outcome: { winner: other(seat) }, by: "resignation" }];
  if (kind === "offer-draw") {
    if (table.drawOfferedBy === other(seat)) return refuse("ALREADY_OFFERED", "the other seat offers one: accept it");
    if (table.drawAsked[seat]) return refuse("ALREADY_OFFERED", "you have offered a draw since the last move");
    return [{ kind: "draw-offered", seat }];
  }
  if (table.drawOfferedBy !== other(seat)) return refuse("NO_OFFER", "the other seat has not offered a draw");
  if (kind === "decline-draw") return [{ kind: "draw-declined", seat }];
  return [{ kind: "ended", outcome: { winner: null }, by: "agreement" }];
}

function rematch(table: Table, seat: Seat): Verdict {
  if (table.result === undefined) return refuse("NOT_OVER", "the match goes on");
  if (table.next !== undefined) return refuse("ALREADY_OFFERED", `the rematch is ${table.next}`);
  if (table.rematchOfferedBy === seat) return refuse("ALREADY_OFFERED", "you have offered a rematch");
  if (table.rematchOfferedBy === null) return [{ kind: "rematch-offered", seat }];
  return [{ kind: "rematch-agreed", seat, next: rematchOf(table.match) }];
}
