import { features, type Support } from "@quadrant/contract";

type Entry = Support[string];

const native: Entry = { how: "native", note: "in this process" };
const refused = (note: string): Entry => ({ how: "refused", note });
const laterRelease = refused("not in this release");
const nothingLeaves = refused("nothing leaves the process");

const exceptions: Readonly<Record<string, Entry>> = {
  durability: refused("held in memory, gone with the process"),
  topics: { how: "native", note: "delivered in the turn of the publish" },
  "topics.loss-accounting": { how: "native", note: "nothing is lost on the way; what a full buffer drops is counted" },
  "log.dedupe": { how: "native", note: "two minutes, at most 262 144 ids a log" },
  "mailbox.dedupe": { how: "native", note: "two minutes, at most 262 144 ids a mailbox" },
  "mailbox.fencing": { how: "native", note: "each loan has a token of its own; the engine's clock decides" },
  "mailbox.delay": { how: "native", note: "lives as long as the process" },
  "space.transaction": laterRelease,
  "space.watch": laterRelease,
  "space.collect": laterRelease,
  "space.inAll": laterRelease,
  "space.explain": laterRelease,
  blobs: laterRelease,
  auth: nothingLeaves,
  tls: nothingLeaves,
};

export const support: Support = Object.freeze(
  Object.fromEntries(features.map((feature) => [feature, exceptions[feature] ?? native])),
);
