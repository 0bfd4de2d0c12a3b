import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Bus, connect, type Mailbox } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { type LetterBody, type LetterEvent, letterBody } from "./letter-record.ts";
import { type ConsumerRecord, judge, type LetterVerdict } from "./letter-verdict.ts";
import { seeded } from "./seeded.ts";

export interface LetterCampaign {
  readonly letters: number;
  readonly consumers: number;
  /** On average, a consumer is killed after this many letters were handled. */
  readonly lettersPerKill: number;
  /** Of the kills; the same seed chooses the same consumers after the same counts. */
  readonly seed: number;
  readonly progress?: ((handled: number, kills: number) => void) | undefined;
}

export interface LetterReport extends LetterVerdict {
  readonly kills: number;
  readonly seconds: number;
}

/** The price of a kill: how long what the dead held stays away. */
const leaseMs = 1_000;
const program = fileURLToPath(new URL("./letter-consumer.ts", import.meta.url));

interface Consumer {
  readonly child: ChildProcess;
  readonly file: string;
  killed: boolean;
}

/** Consumers that are killed at random and replaced. */
class Crew {
  readonly all: Consumer[] = [];
  kills = 0;
  /** A consumer that ended though nobody killed it. */
  failure: Error | undefined;
  readonly #campaign: LetterCampaign;
  readonly #start: () => Consumer;
  readonly #random: () => number;
  #handled = 0;
  #ending = false;
  #nextKill: number;

  constructor(campaign: LetterCampaign, start: (index: number) => Consumer) {
    this.#campaign = campaign;
    this.#random = seeded(campaign.seed);
    this.#start = () => start(this.all.length);
    this.#nextKill = this.#untilNextKill();
    for (let n = 0; n < campaign.consumers; n++) this.#add();
  }

  get handled(): number {
    return this.#handled;
  }

  #untilNextKill(): number {
    return this.#handled + this.#campaign.lettersPerKill * 2 * this.#random();
  }

  #add(): void {
    const consumer = this.#start();
    this.all.push(consumer);
    consumer.child.once("exit", (code) => {
      if (!consumer.killed && !this.#ending) this.failure = new Error(`a consumer ended by itself, with ${code}`);
    });
    let before = 0;
    consumer.child.on("message", (message) => {
      if (typeof message !== "number") return;
      this.#handled += message - before;
      before = message;
      if (this.#handled >= this.#nextKill) this.#killOne();
    });
  }

  #killOne(): void {
    this.#nextKill = this.#untilNextKill();
    const alive = this.all.filter((consumer) => !consumer.killed);
    const victim = alive[Math.floor(this.#random() * alive.length)]!;
    victim.killed = true;
    victim.child.kill("SIGKILL");
    this.kills++;
    this.#add();
  }

  /** No more kills; those that live end. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#nextKill = Number.POSITIVE_INFINITY;
    await Promise.all(
      this.all.map(async ({ child }) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        if (child.connected) child.disconnect();
        else child.kill("SIGKILL");
        await exited;
      }),
    );
  }

  async records(): Promise<ConsumerRecord[]> {
    return Promise.all(this.all.map(async ({ file, killed }) => ({ killed, events: await eventsIn(file) })));
  }
}

async function eventsIn(file: string): Promise<LetterEvent[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    // Killed before it had opened its file.
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as LetterEvent);
}

async function sendAll(box: Mailbox<LetterBody>, letters: number): Promise<void> {
  const chunk = 500;
  for (let from = 0; from < letters; from += chunk) {
    const count = Math.min(chunk, letters - from);
    await box.sendMany(Array.from({ length: count }, (_, index) => letterBody(from + index)));
  }
}

async function emptied(box: Mailbox<LetterBody>, crew: Crew, campaign: LetterCampaign): Promise<void> {
  for (;;) {
    const { waiting, held, delayed, dead } = await box.info();
    if (dead > 0) throw new Error(`${dead} dead letters where attempts have no end`);
    if (crew.failure !== undefined) throw crew.failure;
    if (waiting + held + delayed === 0) return;
    campaign.progress?.(crew.handled, crew.kills);
    await pause(100);
  }
}

/**
 * Sends letters through a hub in a process of its own to consumers in processes of theirs, which are killed with SIGKILL
 * at random; tells what was lost, altered and delivered twice.
 */
export async function runLetters(campaign: LetterCampaign): Promise<LetterReport> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-letters-"));
  const hub = await startBroker("zeromq");
  const started = performance.now();
  let bus: Bus | undefined;
  let crew: Crew | undefined;
  try {
    bus = await connect(hub.url);
    const box = await bus.mailbox<LetterBody>("campaign.letters", { leaseMs, maxAttempts: 1_000_000 });
    crew = new Crew(campaign, (index) => {
      const file = join(folder, `consumer-${index}.jsonl`);
      const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
      const child = fork(program, [hub.url, box.address, file], {
        execPath: process.execPath,
        execArgv: [],
        stdio: [...stdio],
      });
      return { child, file, killed: false };
    });
    await sendAll(box, campaign.letters);
    await emptied(box, crew, campaign);
    await crew.end();
    const verdict = judge(campaign.letters, await crew.records());
    return { ...verdict, kills: crew.kills, seconds: (performance.now() - started) / 1_000 };
  } finally {
    await crew?.end();
    await bus?.close({ drainMs: 0 });
    await hub[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}
