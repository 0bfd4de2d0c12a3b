import type { Resident } from "./resident.ts";

/**
 * Gives each a tuple of its candidates, no tuple to two; undefined where that cannot be. Who comes first gets the first of
 * its candidates unless somebody else would then get none. Among n, the first n candidates of each are enough: who has n
 * finds one that the others have left.
 */
export function assign(candidates: readonly (readonly Resident[])[]): Resident[] | undefined {
  const chosen: Resident[] = [];
  const holders = new Map<Resident, number>();
  const give = (resident: Resident, who: number): true => {
    holders.set(resident, who);
    chosen[who] = resident;
    return true;
  };
  const seat = (who: number, asked: Set<Resident>): boolean => {
    const wanted = candidates[who]!;
    const free = wanted.find((resident) => !holders.has(resident));
    if (free !== undefined) return give(free, who);
    for (const resident of wanted) {
      if (asked.has(resident)) continue;
      asked.add(resident);
      if (seat(holders.get(resident)!, asked)) return give(resident, who);
    }
    return false;
  };
  return candidates.every((_, who) => seat(who, new Set())) ? chosen : undefined;
}
