/** How busy the machine's cores are, and who keeps them so. On Linux from /proc; elsewhere nothing is known. */
import { readFileSync } from "node:fs";

/** The kernel counts in hundredths of a second wherever Node runs. */
const ticksPerSecond = 100;

/** Seconds of processor time that a process has used; undefined where that is not told. */
function usedBy(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return undefined;
  }
}

/** Seconds that all cores have worked for anybody. */
function usedByAll(): number | undefined {
  try {
    const [, user, nice, system, , , interrupts, softInterrupts, stolen] = readFileSync("/proc/stat", "utf8").split(
      /\s+/,
    );
    const ticks = [user, nice, system, interrupts, softInterrupts, stolen].map(Number);
    return ticks.reduce((sum, each) => sum + each, 0) / ticksPerSecond;
  } catch {
    return undefined;
  }
}

/** Who used how many cores between its making and `cores()`. "others" is whatever else ran on the machine. */
export class ProcessorWatch {
  readonly #pids: Readonly<Record<string, number>>;
  readonly #beganMs: number = performance.now();
  readonly #before: Readonly<Record<string, number | undefined>>;
  readonly #allBefore: number | undefined = usedByAll();

  constructor(pids: Readonly<Record<string, number>>) {
    this.#pids = { ...pids, bench: process.pid };
    this.#before = this.#readings();
  }

  cores(): Record<string, number> {
    const seconds = (performance.now() - this.#beganMs) / 1_000;
    const after = this.#readings();
    const cores: Record<string, number> = {};
    let own = 0;
    for (const [name, used] of Object.entries(after)) {
      const before = this.#before[name];
      if (used === undefined || before === undefined) continue;
      own += used - before;
      if (name !== "bench") cores[name] = (used - before) / seconds;
    }
    const all = usedByAll();
    if (all !== undefined && this.#allBefore !== undefined) {
      cores.others = Math.max(0, (all - this.#allBefore - own) / seconds);
    }
    return cores;
  }

  #readings(): Record<string, number | undefined> {
    return Object.fromEntries(Object.entries(this.#pids).map(([name, pid]) => [name, usedBy(pid)]));
  }
}
