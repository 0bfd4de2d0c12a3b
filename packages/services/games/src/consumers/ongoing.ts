import type { MatchFact } from "../match/entry.ts";

export type Names = readonly [string | null, string | null];
export const nobody: Names = [null, null];

/** Who sits where after an event. */
export function namesAfter(names: Names, fact: MatchFact): Names {
  if (fact.kind === "created") return [fact.seats[0]?.name ?? null, fact.seats[1]?.name ?? null];
  if (fact.kind !== "joined") return names;
  return fact.seat === 0 ? [fact.name, names[1]] : [names[0], fact.name];
}

/** What is known of matches that go on, at most `limit` of them; of more, those that have been quiet longest are forgotten. */
export class Ongoing<T> {
  readonly #matches = new Map<string, T>();
  readonly #limit: number;

  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  get(match: string): T | undefined {
    return this.#matches.get(match);
  }

  set(match: string, known: T): void {
    this.#matches.delete(match);
    this.#matches.set(match, known);
    if (this.#matches.size <= this.#limit) return;
    for (const quietest of this.#matches.keys()) {
      this.#matches.delete(quietest);
      return;
    }
  }

  delete(match: string): void {
    this.#matches.delete(match);
  }
}
