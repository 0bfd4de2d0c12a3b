const scripts = "the scripts of Redis take, read and move one tuple of one space at a time";

/** Clauses that this driver does not keep, and why. `support` refuses the same. */
export const unmetClauses: Readonly<Record<string, string>> = {
  "joint/each": scripts,
  "joint/overlap": scripts,
  "joint/holds-nothing": scripts,
  "joint/gave-up": scripts,
  "joint/order": scripts,
  "joint/no-deadlock": scripts,
  "joint/room": scripts,
  "collect/moves": scripts,
  "collect/all-or-none": scripts,
  "collect/one-moment": scripts,
  "collect/leases": scripts,
  "explain/candidates": "the scripts build an index as it is first used, and do not tell of it",
};
