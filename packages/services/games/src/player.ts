import { randomBytes, randomInt } from "node:crypto";
import { type Bus, BusError } from "@quadrant/bus";
import { askForBot, lobbyName, type Seating, takeSeat } from "./consumers/lobby.ts";
import { type FollowOptions, followMatch, matchState } from "./follow.ts";
import type { Seat } from "./game.ts";
import type { PlainCommand } from "./match/command.ts";
import { CommandDesk, type UnsentCommand, type Waiting } from "./match/command-desk.ts";
import { sha256 } from "./match/entry.ts";
import type { Step } from "./match/record.ts";
import type { Reply } from "./match/reply.ts";
import { nameWith } from "./rules/registry.ts";

export interface CreateOptions {
  /** The only source of chance. Drawn unless told. */
  readonly seed?: number | undefined;
  /** How long a seat may think, in ms. Absent: for ever. */
  readonly turnMs?: number | undefined;
  /** Of Tic-Tac-Toe: the side of its square, and how many in a row win. */
  readonly size?: number | undefined;
  readonly inRow?: number | undefined;
}

export interface SeekOptions extends Pick<CreateOptions, "turnMs" | "size" | "inRow"> {
  /** Default 1 200. */
  readonly rating?: number | undefined;
  /** Withdraws: "aborted", unless a seat had just been given. */
  readonly signal?: AbortSignal | undefined;
}

export interface MoveOptions extends Waiting {
  /**
   * Refused with CONFLICT where the match is at another version. Give it: commands may arrive twice, and a move that was refused
   * once, as out of turn, could be legal when its copy comes.
   */
  readonly expectedVersion?: number | undefined;
}

/** Somebody with a name, who takes seats. What a referee refuses rejects with "conflict" here, its code in the message. */
export interface Player extends AsyncDisposable {
  readonly name: string;
  /** Takes the first seat of a new match, and leaves the second open. */
  create(game: string, options?: CreateOptions): Promise<Seated>;
  /** With a token of one's own, which is remembered before, the seat is found again after a crash. */
  join(match: string, options?: { readonly token?: string | undefined }): Promise<Seated>;
  /** Takes the first seat of a new match, and asks for a bot to take the second. "invalid" where no bot plays the game. */
  playBot(game: string, options?: CreateOptions): Promise<Seated>;
  /** Waits for somebody who wants the same game with the same options. */
  seek(game: string, options?: SeekOptions): Promise<Seated>;
  /** "denied" where the token has no seat, "invalid" where there is no such match. */
  resume(seat: { readonly match: string; readonly token: string }): Promise<Seated>;
}

/** A seat in a match. Refusals are values. "timeout" where no referee has answered. */
export interface Seated extends AsyncDisposable {
  readonly match: string;
  readonly game: string;
  readonly seat: Seat;
  /** Whoever has it moves for the seat. */
  readonly token: string;
  move(move: unknown, options?: MoveOptions): Promise<Reply>;
  resign(options?: Waiting): Promise<Reply>;
  offerDraw(options?: Waiting): Promise<Reply>;
  acceptDraw(options?: Waiting): Promise<Reply>;
  declineDraw(options?: Waiting): Promise<Reply>;
  claimTime(options?: Waiting): Promise<Reply>;
  /** Takes back a match that nobody has joined. */
  cancel(options?: Waiting): Promise<Reply>;
  /** Offers one, or agrees. Resolves with the seat in the new match once both have; seats are swapped. */
  rematch(options?: { readonly signal?: AbortSignal | undefined }): Promise<Seated>;
  /** The match as this seat sees it, each step once, until it has ended. */
  follow(options?: FollowOptions): AsyncIterable<Step>;
}

/** How long taking a seat may take: referees may be starting. */
const seatedWithinMs = 60_000;

const newToken = (): string => randomBytes(24).toString("base64url");
const newMatch = (): string => randomBytes(12).toString("hex");

/** Needs a referee and a server of views on the bus, and a matchmaker for `seek`. */
export async function openPlayer(bus: Bus, { name }: { readonly name: string }): Promise<Player> {
  return new BusPlayer(bus, name, await CommandDesk.open(bus));
}

function accepted(reply: Reply): Reply & { readonly ok: true } {
  if (!reply.ok) throw new BusError("conflict", `${reply.code}: ${reply.message}`);
  return reply;
}

class BusPlayer implements Player {
  readonly name: string;
  readonly #bus: Bus;
  readonly #desk: CommandDesk;

  constructor(bus: Bus, name: string, desk: CommandDesk) {
    this.name = name;
    this.#bus = bus;
    this.#desk = desk;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#desk[Symbol.asyncDispose]();
  }

  async create(game: string, { seed = randomInt(2 ** 31), turnMs, size, inRow }: CreateOptions = {}): Promise<Seated> {
    const [named, match, token] = [nameWith(game, { size, inRow }), newMatch(), newToken()];
    const seats = [{ name: this.name, hash: sha256(token) }, null] as const;
    accepted(await this.#take(named, match, { kind: "create", seed, turnMs, seats }));
    return this.#seated(named, match, 0, token);
  }

  async join(match: string, { token = newToken() }: { readonly token?: string | undefined } = {}): Promise<Seated> {
    const known = await matchState(this.#bus, { match });
    if (known === undefined) throw new BusError("invalid", `there is no match ${match}`);
    const { view } = accepted(await this.#take(known.game, match, { kind: "join", name: this.name, token }));
    // The seat that was open; where both were, the first.
    const seat = known.view.names[0] === null ? 0 : 1;
    if (view.names[seat] === null) throw new BusError("conflict", `seat ${seat} of ${match} is not taken`);
    return this.#seated(known.game, match, seat, token);
  }

  async playBot(game: string, options?: CreateOptions): Promise<Seated> {
    const seated = await this.create(game, options);
    await askForBot(await this.#bus.space(lobbyName), seated.game, seated.match);
    return seated;
  }

  async seek(game: string, options: SeekOptions = {}): Promise<Seated> {
    const { rating = 1_200, turnMs, signal } = options;
    const [named, token] = [nameWith(game, options), newToken()];
    const seeker = {
      name: this.name,
      rating,
      tokenHash: sha256(token),
      options: turnMs === undefined ? {} : { turnMs },
    };
    const lobby = await this.#bus.space(lobbyName);
    const seating = await takeSeat(lobby, { game: named, ticket: newToken(), seeker, signal });
    accepted(await this.#take(named, seating.match, creationOf(seating, turnMs)));
    return this.#seated(named, seating.match, seating.seat, token);
  }

  async resume({ match, token }: { readonly match: string; readonly token: string }): Promise<Seated> {
    const known = await matchState(this.#bus, { match, token });
    if (known === undefined) throw new BusError("invalid", `there is no match ${match}`);
    if (known.seat === null) throw new BusError("denied", "this token has no seat in the match");
    return this.#seated(known.game, match, known.seat, token);
  }

  #take(game: string, match: string, command: UnsentCommand): Promise<Reply> {
    return this.#desk.send(game, match, command, { timeoutMs: seatedWithinMs });
  }

  #seated(game: string, match: string, seat: Seat, token: string): Seated {
    return new BusSeat(this.#bus, this.#desk, this, { game, match, seat, token });
  }
}

/** Both who were paired send the same command, and the match is made once. */
function creationOf({ match, seekers }: Seating, turnMs: number | undefined): UnsentCommand {
  const [first, second] = seekers;
  return {
    kind: "create",
    id: `paired-${match}`,
    seed: Number.parseInt(sha256(match).slice(0, 7), 16),
    turnMs,
    seats: [
      { name: first.name, hash: first.tokenHash },
      { name: second.name, hash: second.tokenHash },
    ],
  };
}

class BusSeat implements Seated {
  readonly match: string;
  readonly game: string;
  readonly seat: Seat;
  readonly token: string;
  readonly #bus: Bus;
  readonly #desk: CommandDesk;
  readonly #player: Player;
  readonly #left = new AbortController();

  constructor(
    bus: Bus,
    desk: CommandDesk,
    player: Player,
    { game, match, seat, token }: { game: string; match: string; seat: Seat; token: string },
  ) {
    this.#bus = bus;
    this.#desk = desk;
    this.#player = player;
    this.game = game;
    this.match = match;
    this.seat = seat;
    this.token = token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.abort();
  }

  move(move: unknown, { expectedVersion, ...waiting }: MoveOptions = {}): Promise<Reply> {
    return this.#desk.send(this.game, this.match, { kind: "move", token: this.token, move, expectedVersion }, waiting);
  }
  resign(waiting?: Waiting): Promise<Reply> {
    return this.#say("resign", waiting);
  }
  offerDraw(waiting?: Waiting): Promise<Reply> {
    return this.#say("offer-draw", waiting);
  }
  acceptDraw(waiting?: Waiting): Promise<Reply> {
    return this.#say("accept-draw", waiting);
  }
  declineDraw(waiting?: Waiting): Promise<Reply> {
    return this.#say("decline-draw", waiting);
  }
  claimTime(waiting?: Waiting): Promise<Reply> {
    return this.#say("claim-time", waiting);
  }
  cancel(waiting?: Waiting): Promise<Reply> {
    return this.#say("cancel", waiting);
  }

  async rematch({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<Seated> {
    const reply = await this.#say("rematch", { signal });
    // An offer that stands, or a rematch that was agreed, is waited for.
    if (!reply.ok && reply.code !== "ALREADY_OFFERED") accepted(reply);
    const ended = { from: 1, signal: this.#until(signal) };
    const of = { match: this.match, token: this.token, beyond: true };
    for await (const { view } of followMatch(this.#bus, of, ended)) {
      if (view.next !== undefined) return this.#player.resume({ match: view.next, token: this.token });
    }
    throw new BusError("aborted", "aborted before the other seat agreed");
  }

  follow({ from, signal }: FollowOptions = {}): AsyncIterable<Step> {
    return followMatch(this.#bus, { match: this.match, token: this.token }, { from, signal: this.#until(signal) });
  }

  #until(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#left.signal : AbortSignal.any([this.#left.signal, signal]);
  }

  #say(kind: PlainCommand["kind"], waiting?: Waiting): Promise<Reply> {
    return this.#desk.send(this.game, this.match, { kind, token: this.token }, waiting);
  }
}
