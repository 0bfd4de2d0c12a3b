import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Bus, connect, type LogEntry } from "@quadrant/bus";
import { ActorProcess, largeSizes, smallSizes } from "./actor-process.ts";
import { HubProcess } from "./durability-hub.ts";
import { isBad, judge, type Kind, type Note, readNotes, type Verdict } from "./durability-record.ts";
import { seeded } from "./seeded.ts";

export interface DurabilityRun {
  readonly kind: Kind;
  /** Who keeps what is acknowledged, and is killed: the process of the actor itself, or a hub. */
  readonly keeper: "file" | "hub";
  /** So many are to be acknowledged. */
  readonly wanted: number;
  readonly kills: number;
  readonly seed: number;
  /** Whether the folder is on a disk of 6 MiB that is filled up in the middle. */
  readonly fillsUp?: boolean | undefined;
}

export interface DurabilityReport extends Verdict {
  readonly kills: number;
  readonly seconds: number;
  /** Of a log: what does not hold of its entries; of a mailbox, of its dead letters. */
  readonly flaws: readonly string[];
}

/** How many takes an actor has under way: what of them was done when it is killed, nobody can say. */
const takesUnderWay = 16;

/** A small disk of its own. */
class SmallDisk {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", folder]);
  }

  /** Leaves no byte. */
  fill(): void {
    const file = openSync(join(this.folder, "filler"), "w");
    try {
      for (let bytes = 65_536; bytes >= 1; bytes /= 2) this.#fillWith(file, bytes);
    } finally {
      closeSync(file);
    }
  }

  #fillWith(file: number, bytes: number): void {
    const block = Buffer.alloc(bytes, 1);
    try {
      while (writeSync(file, block) === bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }

  clear(): void {
    rmSync(join(this.folder, "filler"));
  }

  unmount(): void {
    execFileSync("umount", ["-l", this.folder]);
  }
}

/** One run: its actor, its keeper, and the notes they leave. */
class Running {
  readonly #hub: HubProcess | undefined;
  readonly actor: ActorProcess;

  constructor({ kind, wanted, fillsUp }: DurabilityRun, url: string, hub: HubProcess | undefined, file: string) {
    this.#hub = hub;
    const sizes = fillsUp ? smallSizes : largeSizes;
    this.actor = new ActorProcess({ url, kind, file, wanted, ...sizes });
  }

  /** Kills the keeper, and has another take its place. */
  async kill(): Promise<void> {
    if (this.#hub !== undefined) {
      await this.#hub.kill();
      await this.#hub.start();
      return;
    }
    await this.actor.end();
    this.actor.start();
  }
}

/** What does not hold of a log: its entries are numbered without gaps, the same each time, each acknowledged one where it was. */
async function flawsOf(bus: Bus, put: ReadonlyMap<number, number>): Promise<string[]> {
  const log = await bus.log<{ readonly n: number }>("campaign");
  const read = async (): Promise<LogEntry<{ readonly n: number }>[]> => {
    const entries: LogEntry<{ readonly n: number }>[] = [];
    for await (const entry of log.read({ to: "end" })) entries.push(entry);
    return entries;
  };
  const [once, twice] = [await read(), await read()];
  const flaws: string[] = [];
  if (JSON.stringify(once) !== JSON.stringify(twice)) flaws.push("two readings differ");
  const first = once[0]?.seq ?? 0;
  const numbers = new Map<number, number>();
  for (const [at, { seq, data }] of once.entries()) {
    if (seq !== first + at) flaws.push(`entry ${first + at} is missing`);
    if (numbers.has(data.n)) flaws.push(`${data.n} is there twice`);
    numbers.set(data.n, seq);
  }
  for (const [n, seq] of put) {
    if (seq >= first && numbers.get(n) !== seq) flaws.push(`${n} was acknowledged as entry ${seq} and is not there`);
  }
  return flaws.slice(0, 10);
}

/** Rejected letters are dead, once each, and no others. */
async function flawsOfDead(bus: Bus, notes: readonly Note[]): Promise<string[]> {
  const box = await bus.mailbox<{ readonly n: number }>("campaign");
  const { dead } = await box.info();
  const found = (await box.deadLetters(dead + 1)).map(({ data }) => data.n);
  const flaws = found.length === dead ? [] : [`${dead} dead letters are counted, ${found.length} are there`];
  const settled = new Set(notes.filter(([what, n]) => what === "settled" && isBad(n)).map(([, n]) => n));
  const got = new Set(notes.filter(([what]) => what === "got").map(([, n]) => n));
  const counts = new Map<number, number>();
  for (const n of found) counts.set(n, (counts.get(n) ?? 0) + 1);
  for (const [n, count] of counts) {
    if (count > 1) flaws.push(`${n} is dead ${count} times`);
    if (!isBad(n) || !got.has(n)) flaws.push(`${n} is dead and was not rejected`);
  }
  for (const n of settled) if (!counts.has(n)) flaws.push(`${n} was rejected and is not dead`);
  return flaws.slice(0, 10);
}

export async function flawsIn(
  kind: Kind,
  bus: Bus,
  notes: readonly Note[],
  put: ReadonlyMap<number, number>,
): Promise<string[]> {
  if (kind === "entries") return flawsOf(bus, put);
  return kind === "letters" ? flawsOfDead(bus, notes) : [];
}

/** Puts and gets under kills, and says what became of everything. Rejects where nothing moves any more. */
export async function runDurability(run: DurabilityRun): Promise<DurabilityReport> {
  const base = await mkdtemp(join(tmpdir(), "quadrant-durability-"));
  const disk = run.fillsUp ? new SmallDisk(join(base, "disk")) : undefined;
  const folder = join(disk?.folder ?? base, "data");
  const file = join(base, "notes");
  closeSync(openSync(file, "a"));
  const startedAt = performance.now();
  const hub = run.keeper === "hub" ? await HubProcess.start(folder) : undefined;
  const url = hub?.url ?? `${pathToFileURL(folder).href}`;
  const running = new Running(run, url, hub, file);
  try {
    running.actor.start();
    await go(run, running, disk);
    const notes = readNotes(file);
    const put = new Map(notes.filter(([what]) => what === "put").map(([, n, seq]) => [n, seq ?? 0]));
    const bus = await connect(url);
    const flaws = await flawsIn(run.kind, bus, notes, put);
    await bus.close();
    const unsaid = run.kind === "tuples" && run.keeper === "file" ? run.kills * takesUnderWay : 0;
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    return { ...judge(notes, unsaid), kills: run.kills, seconds, flaws };
  } finally {
    await running.actor.end();
    await hub?.kill();
    disk?.unmount();
    await rm(base, { recursive: true, force: true });
  }
}

async function go(
  { seed, kills, wanted }: DurabilityRun,
  running: Running,
  disk: SmallDisk | undefined,
): Promise<void> {
  const random = seeded(seed);
  const marks = Array.from({ length: kills }, () => Math.floor(random() * wanted * 0.9)).sort((a, b) => a - b);
  const middle = disk === undefined ? Number.POSITIVE_INFINITY : wanted / 2;
  let filled = false;
  for (const mark of [...marks, Number.POSITIVE_INFINITY]) {
    if (!filled && mark > middle) {
      filled = true;
      await running.actor.until(({ settled }) => settled >= middle);
      const { refused } = running.actor.progress;
      disk!.fill();
      await running.actor.until((now) => now.refused > refused + 200);
      disk!.clear();
    }
    await running.actor.until(({ settled, done }) => settled >= mark || done === true);
    if (mark !== Number.POSITIVE_INFINITY) await running.kill();
  }
  if (running.actor.progress.done !== true) await running.actor.until(({ done }) => done === true);
}
