import { randomBytes } from "node:crypto";
import { type Bus, isBusError } from "@quadrant/contract";
import type { Command } from "commander";
import { type Answering, answeringAt } from "../answering.ts";
import { checkSettings, findingOf } from "../broker-diagnosis.ts";
import {
  checkClock,
  checkDurability,
  checkExposure,
  checkLatency,
  checkNode,
  checkOpenFiles,
  checkTransport,
  type Finding,
  readLimits,
} from "../diagnosis.ts";
import { CommandFailure, describeFailure, exitCodes, failed } from "../failure.ts";
import { count } from "../option.ts";
import { type Latency, roundTrips } from "../round-trip.ts";
import type { OpenSession, Session } from "../session.ts";
import { versionsOf } from "../versions.ts";

const defaultRounds = 200;

/** The report, section by section, as it comes to be known. */
class Report {
  broken = 0;
  #warnings = 0;
  readonly #findings: Finding[] = [];
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  add(finding: Finding | undefined): void {
    if (finding === undefined) return;
    this.#findings.push(finding);
    if (finding.level === "broken") this.broken++;
    if (finding.level === "warning") this.#warnings++;
  }

  /** Runs a check that may fail, which is a finding too. */
  async attempt<T>(check: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (this.#session.signal.aborted) throw error;
      this.refused(check, error, false);
      return undefined;
    }
  }

  /** An error, with what mends its cause. `answering`: who listens where the bus should be. */
  refused(check: string, error: unknown, connecting: boolean, answering?: Answering | undefined): void {
    const detail = this.#session.output.mask(describeFailure(error, this.#session.url).message);
    const code = isBusError(error) ? error.code : undefined;
    this.add(findingOf({ check, code, detail, connecting }, this.#session.url, answering));
  }

  async section(kind: string, columns: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    const { output } = this.#session;
    if (output.json) {
      for (const row of rows) {
        const members = columns.map((column, i) => [column, row[i] ?? ""]);
        await output.line(JSON.stringify({ kind, ...Object.fromEntries(members) }));
      }
    } else if (rows.length > 0) {
      await output.table(columns, rows);
      await output.line("");
    }
  }

  async finish(): Promise<void> {
    await this.section(
      "check",
      ["check", "level", "detail", "fix"],
      this.#findings.map(({ check, level, detail, fix }) => [check, level, detail, fix ?? ""]),
    );
    this.#session.output.talk(`${this.broken} broken, ${this.#warnings} warnings`);
  }
}

async function checkMachine(report: Report, session: Session): Promise<void> {
  report.add(checkNode(process.version));
  report.add(checkOpenFiles(await readLimits()));
  // What came from the environment is not on the command line.
  if (session.givenUrl !== session.env.QUADRANT_URL) report.add(checkExposure(session.givenUrl));
}

async function brokerTime(bus: Bus): Promise<Date | undefined> {
  const mailbox = await bus.mailbox(`quadrant-doctor-${randomBytes(8).toString("hex")}`);
  try {
    await mailbox.send("what time is it?");
    return (await mailbox.peek(1))[0]?.sentAt;
  } finally {
    await mailbox.destroy();
  }
}

async function measure(report: Report, bus: Bus, rounds: number): Promise<void> {
  const measured: (readonly [name: string, latency: Latency])[] = [];
  for (const { name, measure: run } of roundTrips) {
    const latency = await report.attempt(name, () => run(bus, rounds));
    if (latency === undefined) continue;
    measured.push([name, latency]);
    report.add(checkLatency(name, latency));
  }
  await report.section(
    "latency",
    ["latency", "p50 ms", "p99 ms", "max ms", "rounds"],
    measured.map(([name, { p50, p99, max, rounds: n }]) => [
      name,
      ...[p50, p99, max].map((ms) => ms.toFixed(3)),
      String(n),
    ]),
  );
}

async function examine(report: Report, session: Session, rounds: number): Promise<void> {
  // Loaded beforehand, so that connecting is measured and not the loading of code.
  const { describe } = await import("@quadrant/bus");
  const began = performance.now();
  await session.withBus(async (bus) => {
    const tookMs = performance.now() - began;
    const url = session.output.mask(bus.url);
    report.add({ check: "connect", level: "ok", detail: `${url} answered in ${tookMs.toFixed(1)} ms` });
    report.add(checkTransport(bus.url, session.keys.keyFile !== undefined));
    const settings = checkSettings(bus.support);
    for (const finding of settings) report.add(finding);
    if (settings.length === 0) report.add(checkDurability(bus));
    const description = await report.attempt("description", () => describe(bus));
    await report.section("version", ["version", "is"], versionsOf(bus, description ?? {}));
    await report.section(
      "support",
      ["support", "how", "note"],
      Object.entries(bus.support).map(([feature, { how, note }]) => [feature, how, note]),
    );
    const sentAt = await report.attempt("clock", () => brokerTime(bus));
    if (sentAt !== undefined) report.add(checkClock(sentAt, Date.now()));
    await measure(report, bus, rounds);
  });
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument("[url]", "the bus; else --url, else QUADRANT_URL")
    .option("--rounds <n>", `round trips of each kind that are measured (default: ${defaultRounds})`, count)
    .addHelpText("after", "\nEnds with exit code 1 when something is broken. Leaves nothing behind on the bus.")
    .action(async (url: string | undefined, options: { readonly rounds?: number }) => {
      const session = open(command, url);
      const report = new Report(session);
      await checkMachine(report, session);
      try {
        await examine(report, session, options.rounds ?? defaultRounds);
      } catch (error) {
        if (session.signal.aborted || (error instanceof CommandFailure && error.exitCode === exitCodes.usage))
          throw error;
        if (describeFailure(error, session.url).exitCode === exitCodes.usage) throw error;
        report.refused("connect", error, true, await answeringAt(session.url));
      }
      await report.finish();
      if (report.broken > 0) throw failed(`${report.broken} broken`);
    });
}
