import { type Summary, submitJob } from "@quadrant/mapreduce";
import type { Command } from "commander";
import { startHubProcess } from "../hub-process.ts";
import {
  configureCancel,
  configureFetch,
  configureList,
  configureLogs,
  configureStatus,
} from "../mapreduce/job-query.ts";
import { addRequestOptions, assertThere, type RequestOptions, requestOf } from "../mapreduce/job-request.ts";
import { follow, runWithRoles } from "../mapreduce/job-run.ts";
import {
  configureApplicationMaster,
  configureNodeManager,
  configureResourceManager,
  configureWorker,
} from "../mapreduce/role-command.ts";
import { assertDone, printSummary } from "../mapreduce/summary-text.ts";
import type { OpenSession, Session } from "../session.ts";

const runHelp = `
Every file below the folders whose first 8 KiB hold no NUL is text, hidden ones included; symbolic links are not followed.
With --ending, names decide. The result: part-00000-of-R and so on, each sorted by keys, and _SUCCESS when all are there.
Without --url and QUADRANT_URL it starts a hub of its own. On memory: and file: everything runs in this process.
Exit code 1 where the job failed, or a file could not be read; the rest is done all the same.`;

const submitHelp = `
For roles that run elsewhere: resource-manager, application-master, node-manager. Paths are as they see them.`;

function configureRun(command: Command, open: OpenSession): void {
  addRequestOptions(command)
    .addHelpText("after", runHelp)
    .action((job: string, inputs: readonly string[], options: RequestOptions) =>
      run(open(command), job, inputs, options),
    );
}

async function run(session: Session, job: string, inputs: readonly string[], options: RequestOptions): Promise<void> {
  const request = requestOf(job, inputs, options);
  await assertThere(request);
  const hub = session.givenUrl === undefined ? await startHubProcess("zmq://127.0.0.1:0") : undefined;
  try {
    await runWithRoles(session, { url: hub?.url ?? session.url, request, hubDied: hub?.died }, ({ summary }) =>
      present(session, summary),
    );
  } finally {
    await hub?.[Symbol.asyncDispose]();
  }
}

async function present({ output }: Session, summary: Summary): Promise<void> {
  if (output.json) await output.line(JSON.stringify(summary));
  else if (summary.outcome === "done") await printSummary(output, summary);
  assertDone(output, summary);
}

function configureSubmit(command: Command, open: OpenSession): void {
  addRequestOptions(command)
    .option("--wait", "show how it goes on until it has ended, and fetch its result; Ctrl-C cancels it")
    .addHelpText("after", submitHelp)
    .action(async (job: string, inputs: readonly string[], options: RequestOptions & { readonly wait?: boolean }) => {
      const session = open(command);
      await session.withBus(async (bus) => {
        const submitted = await submitJob(bus, requestOf(job, inputs, options));
        if (options.wait === true) await present(session, await follow(bus, submitted.job, session, session.signal));
        else await session.output.datum({ job: submitted.job }, () => submitted.job);
      });
    });
}

export function configure(command: Command, open: OpenSession): void {
  const add = (name: string, summary: string): Command => command.command(name).description(summary);
  configureRun(add("run", "run a job, with roles of its own"), open);
  configureSubmit(add("submit", "submit a job to roles that run elsewhere; prints its id"), open);
  configureStatus(add("status", "where a job stands"), open);
  configureList(add("list", "the jobs of the last seven days"), open);
  configureCancel(add("cancel", "end a job and remove what it has written"), open);
  configureLogs(add("logs", "what has happened to a job, with the stacks of its failures"), open);
  configureFetch(add("fetch", "fetch the result of a job from the bus"), open);
  configureResourceManager(add("resource-manager", "grant slots to jobs"), open);
  configureApplicationMaster(add("application-master", "see submitted jobs through"), open);
  configureNodeManager(add("node-manager", "offer slots, and keep a worker process for each"), open);
  configureWorker(add("worker", "fill a slot of a node"), open);
}
