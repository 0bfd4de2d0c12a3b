/** What the owner can be asked for, by its code on the wire. */
export const Operation = {
  /** [] → []: whether it answers */
  sync: 1,
  /** [] → [names] */
  list: 2,
  /** [space, pick?, capacity?, whenFull?, maxScan?, history?] */
  open: 10,
  /** [space, tuple, leaseMs?] → [id, expiresInMs] */
  out: 11,
  /** [space, tuples, leaseMs?] */
  outMany: 12,
  /** [space, template] → [tuple] */
  take: 13,
  /** [space, template] → [tuple] */
  read: 14,
  /** [space, template] → [tuple or null] */
  takeNow: 15,
  /** [space, template] → [tuple or null] */
  readNow: 16,
  /** [space, template, max] → [tuples] */
  takeMany: 17,
  /** [space, template] → [tuples] */
  readAll: 18,
  /** [space, template] → [count] */
  count: 19,
  /** [space, template, leaseMs] → [tuple, token] */
  claim: 20,
  /** [space, kind, token, leaseMs?] → [code or null, message?] */
  settle: 21,
  /** [space, id, leaseMs] → [id, expiresInMs] */
  renew: 22,
  /** [space, id] */
  cancel: 23,
  /** [space] */
  destroy: 24,
  /** [space, templates] → [tuples] */
  takeAll: 25,
  /** [space, template, target, 1 to keep them or 0] → [count] */
  collect: 26,
  /** [space, template] → [index, candidates] */
  explain: 27,
  /** [space, template, after?, 1 to follow or 0, max] → [last, events ("KIND SEQ"), tuples] */
  watch: 28,
} as const;
