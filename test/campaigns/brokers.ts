import { closeSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "@quadrant/bus";
import { type BrokerKind, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { type FaultProxy, faultProxy } from "@quadrant/testkit/faults";
import { ActorProcess, largeSizes } from "./actor-process.ts";
import { flawsIn } from "./durability.ts";
import { judge, type Kind, readNotes, type Verdict } from "./durability-record.ts";
import { LiveTraffic, type LiveVerdict } from "./live-traffic.ts";

export interface BrokerRun {
  readonly broker: BrokerKind;
  readonly kind: Kind;
  /** So many are to be acknowledged. */
  readonly wanted: number;
  /** Connections that are cut, spread over the run. */
  readonly cuts: number;
  /** How long the broker is stopped in the middle (SIGSTOP), in milliseconds. */
  readonly stopMs: number;
}

export interface BrokerReport extends Verdict {
  readonly version: string;
  readonly seconds: number;
  /** What does not hold of what was kept, and of what was published live. */
  readonly flaws: readonly string[];
  /** Recoveries that took too long, and outages that were told more than once: on a busy machine its doing, too. */
  readonly untimely: readonly string[];
  readonly faults: number;
  readonly reconnected: number;
  /** From the end of a fault until something was acknowledged again, the longest. */
  readonly recoveryMs: number;
  readonly live: LiveVerdict;
}

/** What happens once so much of the run is done. */
interface Fault {
  readonly name: string;
  readonly at: number;
  readonly happen: () => Promise<void>;
  /** How often the connection may be lost by it: a broker that stands still for a while may be taken for lost, or waited for. */
  readonly outages: readonly [least: number, most: number];
}

/** What a fault did to the actor. */
interface Effect {
  readonly name: string;
  readonly outages: Fault["outages"];
  readonly recoveryMs: number;
  readonly reconnected: number;
}

const longestRecoveryMs = 5_000;

function faultsOf({ cuts, stopMs }: BrokerRun, broker: StartedBroker, proxy: FaultProxy): Fault[] {
  const kill = async (): Promise<void> => {
    await broker.kill();
    await broker.restart();
  };
  const stop = async (): Promise<void> => {
    await broker.pause();
    await pause(stopMs);
    await broker.resume();
  };
  const faults: Fault[] = [
    { name: "kill at a third", at: 1 / 3, happen: kill, outages: [1, 1] },
    { name: "stop", at: 1 / 2, happen: stop, outages: [0, 1] },
    { name: "kill at two thirds", at: 2 / 3, happen: kill, outages: [1, 1] },
  ];
  for (let cut = 0; cut < cuts; cut++) {
    const at = (cut + 0.7) / (cuts + 1);
    faults.push({ name: `cut ${cut + 1}`, at, happen: () => proxy.reset(), outages: [1, 1] });
  }
  return faults.sort((a, b) => a.at - b.at);
}

/** Lets each happen in its turn, once the actor has recovered from the one before; resolves once the actor is done. */
async function happenAll(faults: readonly Fault[], actor: ActorProcess, wanted: number): Promise<Effect[]> {
  const effects: Effect[] = [];
  for (const [index, { name, at, happen, outages }] of faults.entries()) {
    await actor.until(({ settled, done }) => settled >= at * wanted || done === true);
    if (actor.progress.done) throw new Error(`the actor was done before the ${name}`);
    const before = actor.progress.reconnected;
    await happen();
    const since = performance.now();
    const { settled } = actor.progress;
    await actor.until((now) => now.settled > settled && now.reconnected >= before + outages[0]);
    const recoveryMs = Math.round(performance.now() - since);
    // Until the next: an outage that is told twice is told so late.
    const end = faults[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    await actor.until((now) => now.settled >= end * wanted || now.done === true);
    effects.push({ name, outages, recoveryMs, reconnected: actor.progress.reconnected - before });
  }
  return effects;
}

function untimelyOf(effects: readonly Effect[]): string[] {
  const late = effects.filter(({ recoveryMs }) => recoveryMs > longestRecoveryMs);
  const told = effects.filter(({ outages, reconnected: times }) => times > outages[1]);
  return [
    ...late.map(({ name, recoveryMs }) => `${name}: nothing went on for ${recoveryMs} ms`),
    ...told.map(({ name, reconnected: times }) => `${name}: told as reconnected ${times} times`),
  ];
}

/**
 * What must hold of the live traffic: a message is delivered or counted as dropped. Core NATS counts nothing, and the numbers
 * of a hub die with it: there what is missing must have been told as a gap.
 */
function liveFlawsOf(broker: BrokerKind, live: LiveVerdict): string[] {
  const flaws: string[] = [];
  const { uncounted, invented, twice, disordered, firstFlaw } = live;
  if (invented > 0) flaws.push(`live: ${invented} delivered that were not published`);
  if (twice + disordered > 0) {
    flaws.push(`live: ${twice} delivered twice, ${disordered} out of order, first ${firstFlaw}`);
  }
  const told = broker !== "redis" && live.subscriber.gap + live.publisher.gap > 0;
  if (uncounted < 0 || (uncounted > 0 && !told)) {
    flaws.push(`live: ${uncounted} neither delivered nor counted as dropped`);
  }
  return flaws;
}

/** Puts and gets through a proxy while the broker is killed, stopped and cut off, and says what became of everything. */
export async function runBroker(run: BrokerRun): Promise<BrokerReport> {
  const { kind, wanted } = run;
  const base = await mkdtemp(join(tmpdir(), "quadrant-brokers-"));
  const file = join(base, "notes");
  closeSync(openSync(file, "a"));
  const startedAt = performance.now();
  // Redis that writes once a second loses to a SIGKILL what it had acknowledged while its disk was busy.
  const broker = await startBroker(run.broker, { durable: run.broker === "redis" ? "always" : true });
  const proxy = await faultProxy(broker.url);
  const actor = new ActorProcess({ url: proxy.url, kind, file, wanted, ...largeSizes });
  let traffic: LiveTraffic | undefined;
  try {
    traffic = await LiveTraffic.start(proxy.url);
    actor.start();
    const effects = await happenAll(faultsOf(run, broker, proxy), actor, wanted);
    const live = await traffic.verdict();
    const notes = readNotes(file);
    const put = new Map(notes.filter(([what]) => what === "put").map(([, n, seq]) => [n, seq ?? 0]));
    const bus = await connect(broker.url, { ...broker.options, timeoutMs: 20_000 });
    const stored = await flawsIn(kind, bus, notes, put);
    await bus.close();
    const { reconnected } = actor.progress;
    return {
      version: broker.version,
      ...judge(notes, 0),
      faults: effects.length,
      reconnected,
      recoveryMs: Math.max(...effects.map(({ recoveryMs }) => recoveryMs)),
      seconds: Math.round((performance.now() - startedAt) / 100) / 10,
      live,
      flaws: [...stored, ...liveFlawsOf(run.broker, live)],
      untimely: untimelyOf(effects),
    };
  } finally {
    await traffic?.end();
    await actor.end();
    await proxy.close();
    await broker[Symbol.asyncDispose]();
    await rm(base, { recursive: true, force: true });
  }
}
