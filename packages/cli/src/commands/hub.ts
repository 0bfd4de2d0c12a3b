import type { HubAuth } from "@quadrant/zeromq";
import type { Command } from "commander";
import { misused } from "../failure.ts";
import { readClients, readSecretKey, writeKeyPair } from "../key-file.ts";
import type { OpenSession } from "../session.ts";

/** Resolves when the signal aborts. */
function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

interface HubCommandOptions {
  readonly data?: string;
  readonly secretKeyFile?: string;
  readonly clients?: string;
}

/** What `--secret-key-file` and `--clients` say; undefined for a hub without keys. */
async function authOf({ secretKeyFile, clients }: HubCommandOptions): Promise<HubAuth | undefined> {
  if (secretKeyFile === undefined) {
    if (clients === undefined) return undefined;
    throw misused("--clients without --secret-key-file: give the hub a key of its own; `quadrant hub keygen FILE`");
  }
  const secretKey = await readSecretKey("--secret-key-file", secretKeyFile);
  return { secretKey, clients: clients === undefined ? undefined : await readClients("--clients", clients) };
}

function configureKeygen(inner: Command, open: OpenSession): void {
  inner
    .argument("[file]", "where both keys go; only its owner can read it. Without one they are printed")
    .action(async (file: string | undefined) => {
      const { output } = open(inner);
      const { generateKeyPair } = await import("@quadrant/zeromq");
      const { publicKey, secretKey } = generateKeyPair();
      if (file === undefined) {
        await output.datum({ publicKey, secretKey }, () => `public ${publicKey}\nsecret ${secretKey}`);
        return;
      }
      await writeKeyPair(file, { publicKey, secretKey });
      await output.datum({ publicKey, file }, () => publicKey);
    });
}

export function configure(command: Command, open: OpenSession): void {
  command
    .option("--data <DIR>", "keep mailboxes, logs and spaces in this folder; without it they end with the hub")
    .option("--secret-key-file <file>", "the hub's key, by `hub keygen`: all is encrypted, clients need its public key")
    .option("--clients <file>", "let in only these: JSON, public keys with their permissions")
    .addHelpText(
      "after",
      `
Listens at --url: zmq://HOST:PORT (port 0 picks a free one) or zmq+ipc:///path, and prints the address to connect to.
Runs until Ctrl-C or SIGTERM, then tells its clients and ends with exit code 130.

--clients: {"PUBLIC KEY": {}, "PUBLIC KEY": {"publish": ["news.>"], "subscribe": [], "mailboxes": ["jobs.*"]}}
Of publish, subscribe, logs, mailboxes, spaces, blobs, serve and call each lists patterns; one left out means all.`,
    )
    .action(async (options: HubCommandOptions) => {
      const { data } = options;
      const session = open(command);
      const { output, signal } = session;
      const { startHub } = await import("@quadrant/zeromq");
      const hub = await startHub({ url: session.url, data, auth: await authOf(options) });
      try {
        const { url, publicKey } = hub;
        await output.datum({ url, pid: process.pid, data: data ?? null, publicKey: publicKey ?? null }, () => url);
        if (publicKey !== undefined) output.talkPlainly(`its public key: ${publicKey}`);
        output.talk("the hub is running; Ctrl-C ends it");
        await aborted(signal);
      } finally {
        await hub[Symbol.asyncDispose]();
      }
    });
  configureKeygen(command.command("keygen").description("make a pair of keys, for a hub or a client"), open);
}
