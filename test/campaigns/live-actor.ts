import { setTimeout as pause } from "node:timers/promises";
import { type Bus, connect } from "@quadrant/bus";
import type { LiveVerdict } from "./live-traffic.ts";

/**
 * Publishes numbers on some subjects over one connection, and reads them from one subscription of another, until it is told
 * to end; goes on then until a number that was published after that has come on each subject, and says what became of all.
 */
const [url] = process.argv.slice(2) as [string];
process.once("disconnect", () => process.exit(0));

const subjects = ["live.a", "live.b", "live.c"];
/** So many are published in one turn. */
const batch = 8;

interface Sequence {
  /** Published so far; also the last number. */
  published: number;
  delivered: number;
  /** The highest that was delivered. */
  last: number;
  readonly seen: Set<number>;
}

const sequences = new Map<string, Sequence>(
  subjects.map((subject) => [subject, { published: 0, delivered: 0, last: 0, seen: new Set() }]),
);
let [refused, invented, twice, disordered] = [0, 0, 0, 0];
/** The first that was delivered twice or out of order. */
let firstFlaw: string | undefined;

function received(subject: string, n: number): void {
  const sequence = sequences.get(subject);
  if (sequence === undefined || n > sequence.published) {
    invented++;
    return;
  }
  // Delivered twice, or out of order: neither may be.
  if (n <= sequence.last) {
    if (sequence.seen.has(n)) twice++;
    else disordered++;
    firstFlaw ??= `${n} of ${subject} after ${sequence.last}, when ${sequence.published} were published`;
  }
  sequence.seen.add(n);
  sequence.delivered++;
  sequence.last = Math.max(sequence.last, n);
}

/** Numbers are given when something is published: one that was refused leaves a hole that nobody counts as a loss. */
async function publish(bus: Bus, subject: string): Promise<void> {
  const sequence = sequences.get(subject)!;
  const n = ++sequence.published;
  await bus.publish(subject, n).catch(() => {
    refused++;
  });
}

/** The transitions of one connection, counted. */
class Transitions {
  readonly counts = { disconnected: 0, reconnected: 0, gap: 0 };

  constructor(bus: Bus) {
    void this.#follow(bus);
  }

  async #follow(bus: Bus): Promise<void> {
    for await (const { kind } of bus.status()) {
      if (kind === "disconnected" || kind === "reconnected" || kind === "gap") this.counts[kind]++;
    }
  }
}

const [publisher, subscriber] = await Promise.all([
  connect(url, { timeoutMs: 20_000 }),
  connect(url, { timeoutMs: 20_000 }),
]);
const atPublisher = new Transitions(publisher);
const atSubscriber = new Transitions(subscriber);
const subscription = await subscriber.subscribe<number>("live.*", { buffer: 65_536 });
void (async () => {
  for await (const { subject, data } of subscription) received(subject, data);
})();

let ending = false;
process.on("message", () => {
  ending = true;
});
process.send?.("ready");

while (!ending) {
  await Promise.all(Array.from({ length: batch }, (_, at) => publish(publisher, subjects[at % subjects.length]!)));
  await pause(4);
}
const marks = new Map([...sequences].map(([subject, { published }]) => [subject, published]));
while ([...sequences].some(([subject, { last }]) => last <= marks.get(subject)!)) {
  await Promise.all(subjects.map((subject) => publish(publisher, subject)));
  await pause(20);
}
const total = (of: (sequence: Sequence) => number): number =>
  [...sequences.values()].reduce((sum, s) => sum + of(s), 0);
// The last that were published may still be on their way.
for (let before = -1; before !== total(({ delivered }) => delivered); await pause(500))
  before = total(({ delivered }) => delivered);
const published = total((sequence) => sequence.published) - refused;
const delivered = total((sequence) => sequence.delivered);
const { dropped } = subscription;
const verdict: LiveVerdict = {
  published,
  refused,
  delivered,
  dropped,
  uncounted: published - delivered - dropped,
  invented,
  twice,
  disordered,
  firstFlaw,
  publisher: atPublisher.counts,
  subscriber: atSubscriber.counts,
};
process.send?.(verdict, () => process.exit(0));
