/** A thread that turns the page's TypeScript into JavaScript, and ends. Only where the sources run as they are. */
import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { parentPort, workerData } from "node:worker_threads";

const paths = workerData as readonly string[];
parentPort?.postMessage(
  await Promise.all(paths.map(async (path) => stripTypeScriptTypes(await readFile(path, "utf8")))),
);
