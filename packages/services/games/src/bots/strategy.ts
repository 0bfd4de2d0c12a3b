import type { Seat } from "../game.ts";

/** Chooses a move by what its seat sees, and by nothing else. `random` gives numbers in [0, 1). Pure but for `random`. */
export type Strategy = (view: unknown, seat: Seat, random: () => number) => unknown;
