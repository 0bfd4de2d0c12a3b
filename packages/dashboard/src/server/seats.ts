import type { Games, Player, Seated } from "../games.ts";

/** So many seats are kept ready for one page; an older one is taken up again when it is asked for. */
const maxSeats = 16;

/** The player and the seats of one page. A page that comes back names its seats by their tokens. */
export class Seats implements AsyncDisposable {
  readonly #games: Games;
  readonly #seats = new Map<string, Promise<Seated>>();
  #player: Promise<Player> | undefined;
  #name: string | undefined;

  constructor(games: Games) {
    this.#games = games;
  }

  /** The player of that name; without one, of whatever name there is. */
  player(name?: string): Promise<Player> {
    if (this.#player !== undefined && (name === undefined || name === this.#name)) return this.#player;
    const before = this.#player;
    this.#name = name ?? "somebody";
    this.#seats.clear();
    const opened = this.#games.open(this.#name);
    this.#player = opened;
    // One that could not be opened is not kept.
    opened.catch(() => {
      if (this.#player === opened) this.#player = undefined;
    });
    void before?.then((player) => player[Symbol.asyncDispose]()).catch(() => undefined);
    return opened;
  }

  keep(seated: Seated): Seated {
    this.#remember(`${seated.match} ${seated.token}`, Promise.resolve(seated));
    return seated;
  }

  async of(match: string, token: string): Promise<Seated> {
    const key = `${match} ${token}`;
    const kept = this.#seats.get(key);
    if (kept !== undefined) {
      this.#remember(key, kept);
      return kept;
    }
    const player = await this.player();
    const seated = player.resume({ match, token });
    this.#remember(key, seated);
    seated.catch(() => this.#seats.delete(key));
    return seated;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#seats.values()].map((each) => dispose(each)));
    this.#seats.clear();
    if (this.#player !== undefined) await dispose(this.#player).catch(() => undefined);
  }

  #remember(key: string, seated: Promise<Seated>): void {
    this.#seats.delete(key);
    this.#seats.set(key, seated);
    const [oldest] = this.#seats;
    if (this.#seats.size <= maxSeats || oldest === undefined) return;
    this.#seats.delete(oldest[0]);
    dispose(oldest[1]).catch(() => undefined);
  }
}

async function dispose(opened: Promise<AsyncDisposable>): Promise<void> {
  await (await opened)[Symbol.asyncDispose]();
}
