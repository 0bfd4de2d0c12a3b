import { availableParallelism } from "node:os";
import {
  newNodeName,
  runApplicationMasters,
  runNodeManager,
  runResourceManager,
  runWorker,
  type StartedWorker,
} from "@quadrant/mapreduce";
import type { Command } from "commander";
import { Child } from "../child.ts";
import { count } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";
import { howOf } from "./role-process.ts";

/** Each of these runs until Ctrl-C or SIGTERM, and may be killed at any time. */
const help = "\nRuns until Ctrl-C or SIGTERM. It may be killed at any time: another one goes on where it was.";

export function configureResourceManager(command: Command, open: OpenSession): void {
  command.addHelpText("after", help).action(async () => {
    const session = open(command);
    await session.withBus((bus) => runResourceManager(bus, { signal: session.signal }));
  });
}

export function configureApplicationMaster(command: Command, open: OpenSession): void {
  command
    .option("--jobs <n>", "how many jobs it is a master of at once", count, 8)
    .addHelpText("after", help)
    .action(async ({ jobs }: { readonly jobs: number }) => {
      const session = open(command);
      await session.withBus((bus) => runApplicationMasters(bus, { signal: session.signal, jobs }));
    });
}

export function configureNodeManager(command: Command, open: OpenSession): void {
  command
    .option("--slots <n>", "how many workers it keeps (default: one a core)", count)
    .option("--node <name>", "of this node, one token (default: the host's name and the process's id)")
    .addHelpText("after", help)
    .action(async (options: { readonly slots?: number; readonly node?: string }) => {
      const session = open(command);
      const { signal, output } = session;
      const onDeath = (_: number, how: string): void => output.warn(`a worker died of ${how}; another takes its place`);
      await session.withBus((bus) =>
        runNodeManager(bus, {
          node: options.node ?? newNodeName(),
          slots: options.slots ?? availableParallelism(),
          signal,
          onDeath,
          start: (node, slot) => startWorkerProcess(session, node, slot),
        }),
      );
    });
}

function startWorkerProcess({ url, keys }: Session, node: string, slot: number): StartedWorker {
  const env = { QUADRANT_URL: url, QUADRANT_KEY_FILE: keys.keyFile, QUADRANT_SERVER_KEY: keys.serverKey };
  const told = (text: string): void => void process.stderr.write(text);
  const child = new Child(["mapreduce", "worker", node, String(slot), "--quiet"], env, told);
  return { ended: child.exited.then(howOf), kill: () => void child.stop(true) };
}

export function configureWorker(command: Command, open: OpenSession): void {
  command
    .argument("<node>", "the node manager's name")
    .argument("<slot>", "which of its slots, from 0", (text) => Number(text))
    .addHelpText("after", "\nStarted by a node manager.")
    .action(async (node: string, slot: number) => {
      const session = open(command);
      await session.withBus((bus) => runWorker(bus, { node, slot, signal: session.signal }));
    });
}
