/** Somebody who waits for an opponent. */
export interface Waiting {
  readonly ticket: string;
  /** Only those of one kind are paired: the game with all its options. */
  readonly kind: string;
  readonly rating: number;
  readonly waitedMs: number;
}

export interface Tolerance {
  /** How far apart two ratings may be at first, and how much further for each second that the longer of the two has waited. */
  readonly base: number;
  readonly perSecond: number;
}

/** Who is to play whom: those who have waited longest choose first, each the nearest rating that is near enough. */
export function pairs(
  waiting: readonly Waiting[],
  { base, perSecond }: Tolerance,
): readonly (readonly [Waiting, Waiting])[] {
  const found: (readonly [Waiting, Waiting])[] = [];
  const left = new Map<string, Waiting[]>();
  for (const one of [...waiting].sort((a, b) => b.waitedMs - a.waitedMs)) {
    const others = left.get(one.kind) ?? [];
    others.push(one);
    left.set(one.kind, others);
  }
  for (const others of left.values()) {
    for (let one = others.shift(); one !== undefined; one = others.shift()) {
      const reach = base + (perSecond * one.waitedMs) / 1_000;
      let nearest = -1;
      let gap = Number.POSITIVE_INFINITY;
      for (const [at, other] of others.entries()) {
        const apart = Math.abs(other.rating - one.rating);
        if (apart <= reach && apart < gap) {
          nearest = at;
          gap = apart;
        }
      }
      const other = others[nearest];
      if (other === undefined) continue;
      others.splice(nearest, 1);
      found.push([one, other]);
    }
  }
  return found;
}
