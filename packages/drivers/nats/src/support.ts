import type { Support } from "@quadrant/contract";
import type { NatsConnection } from "./connection.ts";

const native = (note: string): Support[string] => ({ how: "native", note });
const emulated = (note: string): Support[string] => ({ how: "emulated", note });
const refused = (note: string): Support[string] => ({ how: "refused", note });

const later = refused("not in this release");

/** Of a server with JetStream. `clustered` before 2.10: what it expects of a stream is not part of what its servers agree on. */
function spacesOf(stored: (entry: Support[string]) => Support[string], able: boolean): Support {
  const owned = (note: string): Support[string] =>
    stored(
      able
        ? emulated(note)
        : refused("a cluster before 2.10 may let two owners write (nats-server#4320): use 2.10 or later"),
    );
  return {
    space: owned("one client, elected, serves all spaces from memory; a stream is its journal"),
    "space.leases": owned("judged by the owner's clock"),
    "space.claim": owned("kept in the journal; the owner's clock decides"),
    "space.capacity": owned("exact: the owner decides"),
    "space.transaction": later,
    "space.watch": owned("kept in the journal: `history` events a space, at most 16 Mi characters of tuples"),
    "space.collect": owned("in one turn of the owner"),
    "space.inAll": owned("in one turn of the owner"),
    "space.explain": owned("answered by the owner"),
  };
}

function mailboxesOf(stored: (entry: Support[string]) => Support[string], atomic: boolean): Support {
  return {
    mailbox: stored(
      native("one work queue for all mailboxes; a consumer while a mailbox has receivers or letters held"),
    ),
    "mailbox.fencing": stored(
      emulated(
        "JetStream takes late acknowledgements: a local clock refuses them, which runs out before the server's lease does; what a killed server has forgotten that it lent, it may lend to another again",
      ),
    ),
    "mailbox.delay": stored(
      emulated("kept in a stream; moved to the mailbox when due by a client that receives from it"),
    ),
    "mailbox.ttl": stored(emulated("judged when it is fetched, by the receiver's clock")),
    "mailbox.dedupe": stored(native("Nats-Msg-Id, two minutes; after a restart, ids of letters that are still held")),
    "mailbox.keys": stored(
      atomic
        ? emulated("letters of a key wait in a line; one turn a key is in the work queue")
        : emulated(
            "as elsewhere, but on clusters before 2.10 a race of senders may put two turns of a key in the queue",
          ),
    ),
    "mailbox.capacity": stored(
      emulated("judged by the sender; exact between senders for letters without delay, lifetime and key"),
    ),
    "mailbox.deadLetters": stored(emulated("kept in a stream; written before the letter is acknowledged")),
  };
}

/** What this server's version gives; what needs JetStream is refused without. */
export function supportOf(connection: NatsConnection): Support {
  const clustered = connection.info?.cluster !== undefined;
  const { jetstream } = connection.info ?? {};
  const atomic = !clustered || connection.isAtLeast(2, 10, 0);
  const stored = (entry: Support[string]): Support[string] =>
    jetstream === true ? entry : refused("this server has no JetStream: start it with -js");
  return Object.freeze({
    durability: stored(
      native(
        "JetStream's file store: acknowledged work survives a kill of the server; a loss of power may cost what the operating system had not written yet, up to the server's sync_interval (2 minutes unless set, from 2.10)",
      ),
    ),
    topics: native("core NATS: at most once; what is published while a subscriber is away is lost to it"),
    "topics.groups": native("queue groups, shared out by the server at random"),
    "topics.loss-accounting": emulated(
      "what is dropped here is counted; what a server drops for a slow client, or while the connection is away, is told by the status gap, uncounted",
    ),
    log: stored(native("a stream of JetStream each")),
    "log.durables": stored(native("a consumer each; redriven letters by a mailbox of its own")),
    "log.dedupe": stored(native("Nats-Msg-Id, two minutes")),
    "log.expectLast": stored(
      atomic
        ? native("Nats-Expected-Last-Subject-Sequence")
        : refused("on clustered streams before 2.10 two concurrent appends may both win (nats-server#4320)"),
    ),
    "log.retention": stored(native("by age, bytes and number")),
    ...mailboxesOf(stored, atomic),
    ...spacesOf(stored, atomic),
    calls: native("request and reply; servers of an address are a queue group"),
    "calls.streams": emulated("items by credit, on the caller's inbox"),
    "calls.cancellation": emulated("told to the server on a subject of the call's own"),
    "calls.directory": native("NATS services: $SRV.PING, INFO and STATS"),
    blobs: stored(
      atomic
        ? native("object stores (ADR-20), which every client of NATS reads and writes")
        : native(
            "object stores (ADR-20); on clusters before 2.10 the loser of two puts at once may leave its chunks behind",
          ),
    ),
    auth: native("user and password, token, nkey seed, credentials file"),
    tls: native("tls:// or the option tls"),
  });
}
