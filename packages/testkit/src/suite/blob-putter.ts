/**
 * A process that puts a blob and never finishes: run by a clause that kills it. Told where in a message; it answers "halfway"
 * once so much of the blob is out that the broker has some of it.
 */
import { connect } from "@quadrant/bus";
import type { ConnectOptions } from "@quadrant/contract";
import { contentOf, mebibyte } from "./blob-content.ts";

export interface PutterTask {
  readonly url: string;
  readonly options: ConnectOptions;
  readonly store: string;
  readonly names: readonly string[];
}

async function* endless(): AsyncGenerator<Uint8Array> {
  yield contentOf(9, 4 * mebibyte);
  process.send?.("halfway");
  await new Promise(() => undefined);
}

process.once("message", async ({ url, options, store, names }: PutterTask) => {
  const blobs = await (await connect(url, options)).blobs(store);
  await Promise.all(names.map((name) => blobs.put(name, endless())));
});
