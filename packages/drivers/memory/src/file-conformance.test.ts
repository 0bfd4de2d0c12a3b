import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";

async function openFolder(): Promise<Environment> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-file-"));
  return { url: pathToFileURL(join(folder, "data")).href, close: () => rm(folder, { recursive: true, force: true }) };
}

describeDriver("file:", openFolder, { noBroker: "the engine lives in this process and dies with it", scale: 0.1 });
