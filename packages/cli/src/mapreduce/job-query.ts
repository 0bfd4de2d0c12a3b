import { resolve } from "node:path";
import {
  assertJob,
  cancelJob,
  collectResult,
  followJob,
  listJobs,
  masterAddress,
  type StatusService,
  summarize,
  type Transition,
} from "@quadrant/mapreduce";
import type { Command } from "commander";
import { failed } from "../failure.ts";
import type { OpenSession } from "../session.ts";
import { printSummary } from "./summary-text.ts";
import { textOf } from "./transition-text.ts";

export function configureStatus(command: Command, open: OpenSession): void {
  command.argument("<job>", "its id").action(async (job: string) => {
    const session = open(command);
    await session.withBus(async (bus) => {
      const state = await assertJob(bus, job);
      // Asked of its master, where there is one: that knows of attempts that run.
      const ask = state.outcome === undefined ? bus.client<StatusService>(masterAddress(job)).status() : undefined;
      const progress = await ask?.catch(() => undefined);
      const summary = summarize(state);
      if (session.output.json) return session.output.line(JSON.stringify({ ...summary, progress: progress ?? null }));
      const phase = state.outcome ?? progress?.phase ?? "waiting for a master";
      await session.output.line(`${job}: ${phase}`);
      if (state.error !== undefined) await session.output.line(state.error.stack ?? state.error.message);
      if (progress !== undefined) {
        const { map, reduce } = progress;
        await session.output.line(
          `${map.done} of ${map.tasks} map tasks, ${reduce.done} of ${reduce.tasks} reduce tasks`,
        );
      }
      await printSummary(session.output, summary);
    });
  });
}

export function configureList(command: Command, open: OpenSession): void {
  command.action(async () => {
    const session = open(command);
    await session.withBus(async (bus) => {
      const rows = (await listJobs(bus)).map((state) => {
        const { seconds, name, maps, reduces } = summarize(state);
        const submitted = new Date(state.submittedAt).toISOString();
        return [state.job, name, state.outcome ?? "going on", submitted, seconds, maps, reduces];
      });
      await session.output.table(["job", "name", "state", "submitted", "seconds", "maps", "reduces"], rows);
    });
  });
}

export function configureCancel(command: Command, open: OpenSession): void {
  command.argument("<job>", "its id").action(async (job: string) => {
    const session = open(command);
    await session.withBus(async (bus) => {
      if (!(await cancelJob(bus, job))) throw failed(`the job ${job} has ended`);
      await session.output.datum({ job, cancelling: true }, () => `${job} is to be cancelled`);
    });
  });
}

export function configureLogs(command: Command, open: OpenSession): void {
  command
    .argument("<job>", "its id")
    .option("-f, --follow", "go on until it has ended")
    .action(async (job: string, { follow }: { readonly follow?: boolean }) => {
      const session = open(command);
      const { output, signal } = session;
      const print = async (transition: Transition): Promise<void> => {
        if (output.json) return output.line(JSON.stringify(transition));
        const text = textOf(transition);
        const at = "at" in transition ? new Date(transition.at).toISOString() : "";
        if (text !== undefined) await output.line(`${at}  ${text}`);
      };
      await session.withBus(async (bus) => {
        const state = await assertJob(bus, job);
        let left = follow === true || state.outcome !== undefined ? Number.POSITIVE_INFINITY : state.transitions;
        for await (const transition of followJob(bus, job, signal)) {
          await print(transition);
          if (--left === 0) return;
        }
      });
    });
}

export function configureFetch(command: Command, open: OpenSession): void {
  command
    .argument("<job>", "its id")
    .option("-o, --out <dir>", "the folder of the result", "output")
    .addHelpText(
      "after",
      "\nFor a job with --shuffle bus that was submitted without --wait. It takes the result from the bus.",
    )
    .action(async (job: string, { out }: { readonly out: string }) => {
      const session = open(command);
      await session.withBus(async (bus) => {
        const state = await assertJob(bus, job);
        if (state.outcome !== "done") throw failed(`the job ${job} is not done, but ${state.outcome ?? "going on"}`);
        if (state.submission?.shuffle !== "bus") throw failed(`its result is in ${state.submission?.out} already`);
        await collectResult(bus, state, resolve(out));
        await session.output.datum({ job, out: resolve(out) }, () => `the result is in ${resolve(out)}`);
      });
    });
}
