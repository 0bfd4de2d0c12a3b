/** Of each node, to which job each of its slots is granted. */
export type Allocation = ReadonlyMap<string, readonly (string | null)[]>;

/**
 * Max-min fairness: whoever wants less than an equal share gets what it wants, the others share the rest equally, and those
 * who want most get what does not divide.
 */
export function fairShares(demands: ReadonlyMap<string, number>, slots: number): ReadonlyMap<string, number> {
  const shares = new Map([...demands.keys()].map((job) => [job, 0]));
  const wanting = [...demands].sort(([, a], [, b]) => a - b);
  let left = slots;
  for (const [index, [job, wanted]] of wanting.entries()) {
    const share = Math.min(wanted, Math.floor(left / (wanting.length - index)));
    shares.set(job, share);
    left -= share;
  }
  return shares;
}

/** Grants slots by fair shares. A job keeps what it has as far as its share goes, and gets the rest spread over the nodes. */
export function allocate(current: Allocation, demands: ReadonlyMap<string, number>): Allocation {
  const slots = [...current.values()].reduce((sum, { length }) => sum + length, 0);
  const left = new Map(fairShares(demands, slots));
  const next = new Map<string, (string | null)[]>();
  for (const [node, jobs] of current) {
    const kept = jobs.map((job) => {
      const share = job === null ? 0 : (left.get(job) ?? 0);
      if (share === 0) return null;
      left.set(job!, share - 1);
      return job;
    });
    next.set(node, kept);
  }
  const free = interleaved([...next]);
  for (const [job, share] of left) {
    for (const { node, slot } of free.splice(0, share)) next.get(node)![slot] = job;
  }
  return next;
}

interface Place {
  readonly node: string;
  readonly slot: number;
}

/** The free slots: the first of each node, then the second of each. */
function interleaved(nodes: readonly (readonly [string, readonly (string | null)[]])[]): Place[] {
  const free = nodes.map(([node, jobs]) => jobs.flatMap((job, slot) => (job === null ? [{ node, slot }] : [])));
  const most = Math.max(0, ...free.map(({ length }) => length));
  return Array.from({ length: most }, (_, at) => free.flatMap((places) => places[at] ?? [])).flat();
}
