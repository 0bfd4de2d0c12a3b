import { features, type Support } from "@quadrant/contract";
import type { SqliteSync } from "@quadrant/engine";

type Entry = Support[string];

const native = (note: string): Entry => ({ how: "native", note });
const refused = (note: string): Entry => ({ how: "refused", note });
const laterRelease = refused("not in this release");
const nothingLeaves = refused("nothing leaves the process");

const both: Readonly<Record<string, Entry>> = {
  topics: native("delivered in the turn of the publish"),
  "topics.loss-accounting": native("nothing is lost on the way; what a full buffer drops is counted"),
  "log.dedupe": native("two minutes, at most 262 144 ids a log"),
  "mailbox.dedupe": native("two minutes, at most 262 144 ids a mailbox"),
  "mailbox.fencing": native("each loan has a token of its own; the engine's clock decides"),
  "space.transaction": laterRelease,
  "space.watch": native("`history` events a space, at most 16 Mi characters of tuples"),
  "space.collect": native("in one turn"),
  "space.inAll": native("in one turn"),
  "space.explain": native("answered in the turn"),
  auth: nothingLeaves,
  tls: nothingLeaves,
};

function supportOf(exceptions: Readonly<Record<string, Entry>>, kept: (feature: string) => Entry): Support {
  const entries = features.map((feature) => [feature, exceptions[feature] ?? both[feature] ?? kept(feature)]);
  return Object.freeze(Object.fromEntries(entries) as Record<string, Entry>);
}

export const memorySupport: Support = supportOf(
  {
    durability: refused("held in memory, gone with the process"),
    "mailbox.delay": native("lives as long as the process"),
    blobs: native("in this process, together at most 256 MiB: overflow beyond"),
  },
  () => native("in this process"),
);

const durability: Readonly<Record<SqliteSync, string>> = {
  full: "sync=full: acknowledged once it is on stable storage; survives a kill of the process and a loss of power",
  normal: "sync=normal: survives a kill of the process; a loss of power may take the last moments",
  off: "sync=off: survives a kill of the process; a loss of power may damage the file",
};

const live = /^(topics|calls)/;

export function fileSupport(sync: SqliteSync): Support {
  return supportOf(
    {
      durability: native(durability[sync]),
      "mailbox.delay": native("kept in the folder; the machine's clock"),
      blobs: native("a file each, in the folder"),
    },
    (feature) => native(live.test(feature) ? "in this process" : "kept in the folder"),
  );
}
