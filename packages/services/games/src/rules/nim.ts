import { defineGame, type Game, type Seat } from "../game.ts";
import { chance } from "./chance.ts";

/** What lies in each heap. */
export type Heaps = readonly number[];
/** Heaps are counted from 0. */
export interface Taking {
  readonly heap: number;
  readonly take: number;
}

export interface NimOptions {
  /** Whoever takes the last one loses. Default false: wins. */
  readonly misere?: boolean | undefined;
  /** Default: three to five heaps of one to nine, by the match's seed. */
  readonly heaps?: Heaps | undefined;
}

function heapsOf(seed: number): Heaps {
  const random = chance(seed);
  return Array.from({ length: 3 + Math.floor(random() * 3) }, () => 1 + Math.floor(random() * 9));
}

/** Any number from one heap; the last one decides. RangeError where there is nothing to take. */
export function nim({ misere = false, heaps }: NimOptions = {}): Game<Heaps, Taking> {
  if (heaps !== undefined) {
    const sound = heaps.length > 0 && heaps.length <= 16 && heaps.every((n) => Number.isInteger(n) && n > 0 && n < 100);
    if (!sound) throw new RangeError("heaps are 1 to 16 whole numbers of 1 to 99");
  }
  return defineGame<Heaps, Taking>({
    name: misere ? "nim-misere" : "nim",
    setup: (seed) => heaps ?? heapsOf(seed),
    moves: {
      read(body) {
        if (typeof body !== "object" || body === null || !("heap" in body) || !("take" in body)) return undefined;
        const { heap, take } = body;
        return Number.isInteger(heap) && Number.isInteger(take)
          ? { heap: heap as number, take: take as number }
          : undefined;
      },
      violation(lying, { heap, take }) {
        const there = lying[heap];
        if (there === undefined) return { code: "OUT_OF_RANGE", message: `the heaps are 0 to ${lying.length - 1}` };
        if (take < 1) return { code: "OUT_OF_RANGE", message: "take one or more" };
        return take > there ? { code: "TOO_MANY", message: `heap ${heap} holds ${there}` } : undefined;
      },
      play: (lying, _seat, { heap, take }) => lying.with(heap, (lying[heap] ?? 0) - take),
    },
    outcome(lying, mover) {
      if (lying.some((n) => n > 0)) return undefined;
      const other: Seat = mover === 0 ? 1 : 0;
      return { winner: misere ? other : mover };
    },
    view: (lying) => lying,
  });
}
