import type { Support } from "@quadrant/contract";
import type { About } from "./link/about.ts";
import type { Location } from "./location.ts";

const native = (note: string): Support[string] => ({ how: "native", note });
const emulated = (note: string): Support[string] => ({ how: "emulated", note });
const refused = (note: string): Support[string] => ({ how: "refused", note });

const fsyncs = {
  always: "on the server's disk before it is acknowledged (appendfsync always)",
  everysec:
    "survives a kill of the server, unless its disk was busy: then up to two seconds are lost, as with a loss of power (appendfsync everysec); appendfsync always loses nothing",
  os: "survives a kill of the server; a loss of power may cost what the system had not yet written (appendfsync no)",
} as const;

/** Whether acknowledged work survives a kill of the server, and which setting decides that. */
export function durabilityOf({ keeps, evicts, policy }: About, { kind }: Location): Support[string] {
  if (evicts)
    return refused(
      `under memory pressure the server drops keys (maxmemory-policy ${policy}): set maxmemory-policy noeviction`,
    );
  if (keeps === "no") return refused("the server keeps no append-only file: set appendonly yes");
  const failover = kind === "single" ? "" : "; a failover loses what the master had not yet passed to its replica";
  return native(`${fsyncs[keeps]}${failover}`);
}

const unsaid = "not in this release";

/** What this server gives, with this driver. */
export function supportOf(about: About, location: Location): Support {
  const { product, version } = about;
  const server = `${product} ${version}`;
  return Object.freeze({
    durability: durabilityOf(about, location),
    topics: native(
      `PUBLISH of ${server}; patterns are matched again here; what was published while the connection was cut is sent after it, once`,
    ),
    "topics.groups": emulated(
      "shared out by a script on the server, round robin; a member whose connection is gone is passed over",
    ),
    "topics.loss-accounting": emulated(
      "numbers by publisher and subject; a loss is seen with the next message of the same subject, and what began unseen as the status gap",
    ),
    log: emulated("a stream with numbers of our own, appended by a script"),
    "log.durables": emulated("sorted sets and a script: leases, attempts, dead letters"),
    "log.dedupe": emulated("a key for each id, two minutes"),
    "log.expectLast": native("decided in one script"),
    "log.retention": emulated("by age, bytes and number; what is too old goes with the next use of the log"),
    mailbox: emulated("sorted sets and scripts; batches are sent, fetched and settled by one command"),
    "mailbox.fencing": emulated("a token a loan, judged by a script"),
    "mailbox.delay": emulated("a sorted set by due time, by the server's clock"),
    "mailbox.ttl": emulated("a sorted set by end of life, by the server's clock"),
    "mailbox.dedupe": emulated("a key for each id, two minutes"),
    "mailbox.keys": emulated("one letter of a key at a time, in order"),
    "mailbox.capacity": emulated("judged by the script that sends"),
    "mailbox.deadLetters": emulated("with the failure, kept beside the mailbox"),
    space: emulated("scripts over sorted sets, one for each shape of template that is used"),
    "space.leases": emulated("exact at match time, by the server's clock"),
    "space.claim": emulated("a token a claim, judged by a script"),
    "space.capacity": emulated("waits or rejects"),
    "space.transaction": refused(unsaid),
    "space.watch": emulated("a stream a space, of `history` events and about 16 MiB of tuples"),
    "space.collect": refused("not in this release: each script is of one space"),
    "space.inAll": refused("not in this release: what waits on Redis waits for one tuple"),
    "space.explain": refused("not in this release: the scripts do not tell of their indexes"),
    calls: emulated("PUBLISH both ways; a script picks the server; one whose connection is gone is passed over"),
    "calls.streams": emulated("items by credit"),
    "calls.cancellation": emulated("told to the server; a peer that vanished without a word is missed within seconds"),
    "calls.directory": emulated("kept on the server, with what each server counts"),
    blobs: emulated("a hash of chunks for each version; a script has the name stand for it"),
    auth: native("user and password, or a password alone; what the server's ACL forbids is denied"),
    tls: native("rediss:, or tls=true in the URL; certificates of its own by tls: { ca, cert, key }"),
  });
}
