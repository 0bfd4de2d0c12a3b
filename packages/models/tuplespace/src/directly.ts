import type { DirectTuples, Tuples } from "@quadrant/contract";

/** What a driver has whose spaces are elsewhere, as it is used of one whose spaces are here. */
export function directly(tuples: Tuples): DirectTuples {
  return {
    out: (space, tuple, leaseMs, wait) => tuples.out(space, tuple, leaseMs, wait),
    take: (space, template, wait) => tuples.take(space, template.text, wait),
    read: (space, template, wait) => tuples.read(space, template.text, wait),
    takeNow: (space, template) => tuples.takeNow(space, template.text),
    readNow: (space, template) => tuples.readNow(space, template.text),
  };
}
