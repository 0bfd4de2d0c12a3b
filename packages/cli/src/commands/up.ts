import type { Command } from "commander";
import { startHubProcess } from "../hub-process.ts";
import { sequence } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

interface UpOptions {
  readonly host?: string;
  readonly port?: number;
}

const help = `
Starts the services of the games and the page, over the bus at --url; without --url, over a hub that it starts. Prints the
page's address, with the token that lets one in: whoever has it can play. It listens at 127.0.0.1 unless told otherwise.
QUADRANT_PAGE_TOKEN sets the token, which is a new one otherwise. MapReduce jobs that run on the same bus are shown as well. Runs until Ctrl-C.`;

export function configure(command: Command, open: OpenSession): void {
  command
    .option("--host <name>", "where the page listens; anything but loopback shows it, unencrypted, to the network")
    .option("--port <n>", "the page's port (default: a free one)", sequence)
    .addHelpText("after", help)
    .action(async (options: UpOptions) => {
      const session = open(command);
      const hub = session.givenUrl === undefined ? await startHubProcess(undefined) : undefined;
      try {
        await up(session, options, hub?.url ?? session.url, hub?.died);
      } finally {
        await hub?.[Symbol.asyncDispose]();
      }
    });
}

async function up(session: Session, options: UpOptions, url: string, hubDied?: Promise<Error>): Promise<void> {
  const { connected } = await import("../session.ts");
  const { openPage } = await import("../page/page.ts");
  const { output, signal } = session;
  const keys = hubDied === undefined ? session.keys : {};
  const connection = { url, name: "quadrant up", connectTimeoutMs: undefined, keys, signal, output };
  if (hubDied !== undefined) output.talk(`the hub is at ${url}`);
  await connected(connection, async (bus) => {
    void hubDied?.then(() => bus.close({ drainMs: 0 }));
    const page = await openPage(bus, { ...options, token: session.env.QUADRANT_PAGE_TOKEN });
    try {
      await output.datum({ page: page.url, url: output.mask(url), pid: process.pid }, () => page.url);
      output.talk("the page is up; Ctrl-C ends it");
      const failure = await Promise.race([aborted(signal), ...(hubDied === undefined ? [] : [hubDied])]);
      if (failure !== undefined && !signal.aborted) throw failure;
    } finally {
      await page[Symbol.asyncDispose]();
    }
  });
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}
