import { pick } from "../rules/chance.ts";
import type { Heaps, Taking } from "../rules/nim.ts";
import type { Strategy } from "./strategy.ts";

/** Every move after which the other is lost, by Bouton's theorem. Empty where there is none. */
export function winningTakings(heaps: Heaps, misere: boolean): readonly Taking[] {
  const takings = heaps.flatMap((lying, heap) =>
    Array.from({ length: lying }, (_, less): Taking => ({ heap, take: less + 1 })),
  );
  return takings.filter(({ heap, take }) => {
    const left = heaps.with(heap, (heaps[heap] ?? 0) - take);
    const sum = left.reduce((all, lying) => all ^ lying, 0);
    // With ones alone left, who is to move wins at misère where their number is even.
    return misere && left.every((lying) => lying < 2) ? sum === 1 : sum === 0;
  });
}

/** Wins wherever it can; else takes one, by chance, and waits for a mistake. */
export function perfectNim(misere: boolean): Strategy {
  return (view, _seat, random) => {
    const heaps = view as Heaps;
    const winning = winningTakings(heaps, misere);
    if (winning.length > 0) return pick(winning, random);
    const heap = pick(
      heaps.flatMap((lying, at) => (lying > 0 ? [at] : [])),
      random,
    );
    return { heap, take: 1 };
  };
}
