import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "@quadrant/bus";
import { awaitJob, type Coupling, couplings, type Shuffle, type Summary, submitJob } from "@quadrant/mapreduce";
import { type BrokerKind, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { Cluster, signal } from "../mapreduce/cluster.ts";
import { ownJob } from "../mapreduce/jobs.ts";
import { partsIn, referenceOf } from "../mapreduce/reference.ts";
import { seeded } from "./seeded.ts";

/** One job with faults at random. */
export interface FaultyRun {
  readonly broker: BrokerKind;
  readonly seed: number;
  readonly coupling: Coupling;
  readonly shuffle: Shuffle;
  /** So many processes are killed or stopped, the broker among them. */
  readonly faults: number;
}

export interface FaultyReport extends FaultyRun {
  /** Whether the result is, byte for byte, what one process without any fault comes to. */
  readonly identical: boolean;
  readonly outcome: Summary["outcome"];
  /** Which happened, in their order: "kill worker", "stop broker". */
  readonly happened: readonly string[];
  readonly failures: number;
  readonly lost: number;
  readonly takeovers: number;
  readonly seconds: number;
}

const targets = ["worker", "worker", "node-manager", "application-master", "resource-manager", "broker"] as const;
/** Longer than a task's lease: what was stopped wakes up when its work is another's. */
const stopMs = 2_500;
const leaseMs = 1_000;
const partitions = 3;
/** A run that takes longer hangs. */
const patienceMs = 240_000;

/** Which of the couplings and shuffles a seed stands for: eight seeds are all of them. */
export function runOf(broker: BrokerKind, seed: number, faults: number): FaultyRun {
  const coupling = couplings[seed % couplings.length]!;
  return { broker, seed, coupling, shuffle: (seed >> 2) % 2 === 0 ? "files" : "bus", faults };
}

/** Runs a job of some seconds over a broker that keeps what it acknowledges, while its parts are killed and stopped at random. */
export async function runWithFaults(run: FaultyRun): Promise<FaultyReport> {
  const random = seeded(run.seed + 1);
  const scratch = await mkdtemp(join(tmpdir(), "quadrant-campaign-"));
  const input = await writeInput(scratch, random);
  const began = performance.now();
  const broker = await startBroker(run.broker, { durable: run.broker === "redis" ? "always" : true });
  const cluster = new Cluster(broker.url, { slots: 2 });
  try {
    const bus = await connect(broker.url, { ...broker.options, timeoutMs: 60_000 });
    try {
      const reference = ownJob("slow-words", { lineMs: 15 });
      const out = join(scratch, "out");
      const { coupling, shuffle } = run;
      const { job } = await submitJob(bus, {
        ...{ reference, inputs: [input], out, coupling, shuffle, leaseMs },
        ...{ reducers: partitions, workers: 2, splitBytes: 1_000 },
      });
      const ended = new AbortController();
      const happened: string[] = [];
      const injecting = inject(run.faults, random, { cluster, broker, happened }, ended.signal);
      const late = AbortSignal.timeout(patienceMs);
      const summary = await awaitJob(bus, job, late).finally(() => ended.abort());
      await injecting;
      const parts = await partsIn(summary.out).catch(() => new Map<string, string>());
      const expected = await referenceOf(reference, input, partitions);
      return {
        ...run,
        identical: JSON.stringify([...parts]) === JSON.stringify([...expected]),
        outcome: summary.outcome,
        happened,
        failures: summary.failures,
        lost: summary.lost,
        takeovers: summary.takeovers,
        seconds: Math.round((performance.now() - began) / 1_000),
      };
    } finally {
      await bus.close({ drainMs: 0 });
    }
  } finally {
    await cluster[Symbol.asyncDispose]();
    await broker[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true });
  }
}

/** Small files whose words are known by no one: the reference counts them itself. */
async function writeInput(scratch: string, random: () => number): Promise<string> {
  const input = join(scratch, "input");
  await mkdir(input);
  for (let file = 0; file < 12; file++) {
    const lines = Array.from({ length: 20 }, () =>
      Array.from({ length: 6 }, () => (random() < 0.1 ? "constructor" : `w${Math.floor(random() ** 2 * 90)}`)).join(
        " ",
      ),
    );
    await writeFile(join(input, `text-${file}.txt`), `${lines.join("\n")}\n`);
  }
  return input;
}

interface Field {
  readonly cluster: Cluster;
  readonly broker: StartedBroker;
  readonly happened: string[];
}

/** One fault after another, each after a while; what was stopped goes on, and the broker is started again. */
async function inject(faults: number, random: () => number, field: Field, ended: AbortSignal): Promise<void> {
  const waking: Promise<void>[] = [];
  for (let fault = 0; fault < faults && !ended.aborted; fault++) {
    await pause(300 + random() * 1_200, undefined, { signal: ended }).catch(() => undefined);
    if (ended.aborted) break;
    const target = targets[Math.floor(random() * targets.length)]!;
    const kill = random() < 0.6;
    field.happened.push(`${kill ? "kill" : "stop"} ${target}`);
    if (target === "broker") await failBroker(field.broker, kill);
    else waking.push(failRole(field.cluster, target, kill, random));
  }
  await Promise.all(waking);
}

async function failBroker(broker: StartedBroker, kill: boolean): Promise<void> {
  if (kill) {
    await broker.kill();
    await broker.restart();
    return;
  }
  await broker.pause();
  await pause(stopMs);
  await broker.resume();
}

async function failRole(
  cluster: Cluster,
  target: Exclude<(typeof targets)[number], "broker">,
  kill: boolean,
  random: () => number,
): Promise<void> {
  const { workers } = cluster;
  const pid = target === "worker" ? workers[Math.floor(random() * workers.length)] : cluster.pidOf(target);
  if (pid === undefined || !signal(pid, kill ? "SIGKILL" : "SIGSTOP") || kill) return;
  await pause(stopMs);
  signal(pid, "SIGCONT");
}
