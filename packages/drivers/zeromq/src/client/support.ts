import type { Support } from "@quadrant/contract";

const native = (note: string): Support[string] => ({ how: "native", note });
const emulated = (note: string): Support[string] => ({ how: "emulated", note });
const refused = (note: string): Support[string] => ({ how: "refused", note });

/** What a hub of this release gives that holds everything in memory. */
export const support: Support = Object.freeze({
  durability: refused("the hub holds everything in memory: what it holds is gone when it ends"),
  topics: native("matched by the hub; a cut connection shorter than 30 s loses nothing within 16 MiB a client"),
  "topics.groups": native("shared out by the hub, round robin"),
  "topics.loss-accounting": native(
    "the hub counts what it drops for a slow client and tells the subscription; what was under way when the hub itself was lost is told by the status gap, uncounted",
  ),
  log: native("held by the hub"),
  "log.durables": native("held by the hub"),
  "log.dedupe": native("two minutes"),
  "log.expectLast": native("decided in one turn of the hub"),
  "log.retention": native("by age, bytes and number"),
  mailbox: native("held by the hub"),
  "mailbox.fencing": native("a token a loan, judged by the hub"),
  "mailbox.delay": native("the hub's clock"),
  "mailbox.ttl": native("the hub's clock"),
  "mailbox.dedupe": native("two minutes"),
  "mailbox.keys": native("one letter of a key at a time, in order"),
  "mailbox.capacity": native("judged by the hub"),
  "mailbox.deadLetters": native("held by the hub"),
  space: native("indexed by the hub"),
  "space.leases": native("exact at match time, by the hub's clock"),
  "space.claim": native("a token a claim, judged by the hub"),
  "space.capacity": native("waits or rejects"),
  "space.transaction": refused("not in this release"),
  "space.watch": native(
    "`history` events a space, at most 16 Mi characters of tuples; a hub without --data that was restarted is a gap",
  ),
  "space.collect": native("in one turn of the hub"),
  "space.inAll": native("in one turn of the hub"),
  "space.explain": native("answered by the hub"),
  calls: native("routed by the hub; a server that vanished before it got the call is passed over"),
  "calls.streams": emulated("items by credit, passed on by the hub"),
  "calls.cancellation": native("told to the server"),
  "calls.directory": native("kept by the hub"),
  blobs: native("held by the hub in memory, together at most 256 MiB: overflow beyond"),
  auth: native(
    "CURVE: the hub knows its clients by their keys, each with its permissions; a publish that is not permitted is dropped, told by the status denied, and the next on its subject rejects",
  ),
  tls: refused("ZeroMQ has CURVE instead, which authenticates and encrypts: see auth"),
});

/** What a hub gives that was started with a folder for its data. */
export const durableSupport: Support = Object.freeze({
  ...support,
  durability: native(
    "acknowledged once it is on the hub's stable storage; survives a kill of the hub and a loss of power",
  ),
  "mailbox.delay": native("the hub's clock; kept over its restarts"),
  blobs: native("a file each, in the hub's folder"),
});
