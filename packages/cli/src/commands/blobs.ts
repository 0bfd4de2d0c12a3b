import type { BlobStore } from "@quadrant/contract";
import type { Command } from "commander";
import { fetchBlob, sourceOf } from "../blob-transfer.ts";
import { assertExists } from "../existing.ts";
import { failed, misused } from "../failure.ts";
import type { OpenSession, Session } from "../session.ts";

/** Opens a store that is there: looking at one must not make it. */
async function withStore(session: Session, name: string, use: (store: BlobStore) => Promise<void>): Promise<void> {
  await session.withBus(async (bus) => {
    await assertExists(bus, "blobs", name);
    await use(await bus.blobs(name));
  });
}

function configurePut(inner: Command, open: OpenSession): void {
  inner
    .argument("<store>", "it is made if absent")
    .argument("<name>", "of the blob; it may hold /")
    .argument("[file]", "whose bytes are put; without it those of stdin")
    .action(async (storeName: string, name: string, file: string | undefined) => {
      const session = open(inner);
      const source = sourceOf(session, file);
      await session.withBus(async (bus) => {
        const { bytes, sha256 } = await (await bus.blobs(storeName)).put(name, source);
        await session.output.datum({ name, bytes, sha256 }, () => `${sha256}  ${name}`);
        session.output.talk(`${bytes} bytes put into ${storeName}`);
      });
    });
}

function configureGet(inner: Command, open: OpenSession): void {
  inner
    .argument("<store>", "its name")
    .argument("<name>", "of the blob")
    .argument("[file]", "into which its bytes are written, once they are all there; without it they go to stdout")
    .action(async (storeName: string, name: string, file: string | undefined) => {
      const session = open(inner);
      if (file === undefined && session.output.interactive) {
        throw misused("a blob may be binary, and stdout is a terminal: name a file, or pipe it");
      }
      await withStore(session, storeName, async (store) => {
        const bytes = await fetchBlob(session, store, name, file);
        session.output.talk(`${bytes} bytes of ${name}${file === undefined ? "" : ` into ${file}`}`);
      });
    });
}

function configureList(inner: Command, open: OpenSession): void {
  inner
    .argument("<store>", "its name")
    .argument("[prefix]", "how names begin (default: all)")
    .action(async (storeName: string, prefix: string | undefined) => {
      const session = open(inner);
      await withStore(session, storeName, async (store) => {
        for (const { name, bytes } of await store.list(prefix)) {
          await session.output.datum({ name, bytes }, () => `${bytes}\t${name}`);
        }
      });
    });
}

function configureDelete(inner: Command, open: OpenSession): void {
  inner
    .argument("<store>", "its name")
    .argument("<name...>", "of the blobs")
    .action(async (storeName: string, names: readonly string[]) => {
      const session = open(inner);
      await withStore(session, storeName, async (store) => {
        for (const name of names) {
          if (!(await store.delete(name))) throw failed(`there is no blob called ${name} in ${storeName}`);
          session.output.talk(`${name} deleted from ${storeName}`);
        }
      });
    });
}

export function configure(command: Command, open: OpenSession): void {
  const add = (name: string, summary: string): Command => command.command(name).description(summary);
  configurePut(add("put", "put a file, or stdin, as a blob"), open);
  configureGet(add("get", "write a blob to a file, or to stdout"), open);
  configureList(add("list", "print names and sizes"), open);
  configureDelete(add("delete", "delete blobs"), open);
}
