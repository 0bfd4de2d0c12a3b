/** What a player has come to in one game. */
export interface Standing {
  readonly name: string;
  readonly rating: number;
  readonly played: number;
  readonly won: number;
  readonly lost: number;
  readonly drawn: number;
}

const firstRating = 1_200;
const k = 32;

/** Elo's ratings, K = 32, from 1200: a function of the results in their order. */
export class Ratings {
  readonly #games = new Map<string, Map<string, Standing>>();

  /** `score` is the first one's: 1 won, 0.5 drawn, 0 lost. A name that played itself is not rated. */
  record(game: string, first: string, second: string, score: 0 | 0.5 | 1): void {
    if (first === second) return;
    const [one, other] = [this.#of(game, first), this.#of(game, second)];
    const expected = 1 / (1 + 10 ** ((other.rating - one.rating) / 400));
    const gain = k * (score - expected);
    this.#set(game, one, gain, score);
    this.#set(game, other, -gain, 1 - score);
  }

  /** The best first; names of one rating by alphabet. */
  top(game: string, limit: number): readonly Standing[] {
    const all = [...(this.#games.get(game)?.values() ?? [])];
    all.sort((a, b) => b.rating - a.rating || (a.name < b.name ? -1 : 1));
    return all.slice(0, limit);
  }

  /** By game: those in which the player has finished a match. */
  player(name: string): readonly (Standing & { readonly game: string })[] {
    return [...this.#games].flatMap(([game, standings]) => {
      const standing = standings.get(name);
      return standing === undefined ? [] : [{ ...standing, game }];
    });
  }

  #of(game: string, name: string): Standing {
    return this.#games.get(game)?.get(name) ?? { name, rating: firstRating, played: 0, won: 0, lost: 0, drawn: 0 };
  }

  #set(game: string, was: Standing, gain: number, score: number): void {
    const standings = this.#games.get(game) ?? new Map<string, Standing>();
    this.#games.set(game, standings);
    standings.set(was.name, {
      name: was.name,
      rating: was.rating + gain,
      played: was.played + 1,
      won: was.won + (score === 1 ? 1 : 0),
      lost: was.lost + (score === 0 ? 1 : 0),
      drawn: was.drawn + (score === 0.5 ? 1 : 0),
    });
  }
}
