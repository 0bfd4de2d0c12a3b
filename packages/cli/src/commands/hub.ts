import type { Command } from "commander";
import type { OpenSession } from "../session.ts";

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

export function configure(command: Command, open: OpenSession): void {
  command
    .addHelpText(
      "after",
      `
Listens at --url: zmq://HOST:PORT (port 0 picks a free one) or zmq+ipc:///path, and prints the address to connect to.
Runs until Ctrl-C or SIGTERM, then tells its clients and ends with exit code 130.`,
    )
    .action(async () => {
      const session = open(command);
      const { output, signal } = session;
      const { startHub } = await import("@quadrant/zeromq");
      const hub = await startHub({ url: session.url });
      try {
        await output.datum({ url: hub.url, pid: process.pid }, () => hub.url);
        output.talk("the hub is running; Ctrl-C ends it");
        await aborted(signal);
      } finally {
        await hub[Symbol.asyncDispose]();
      }
    });
}
