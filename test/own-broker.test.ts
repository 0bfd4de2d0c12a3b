/** The example of tests of one's own that need a broker, test/own-broker, runs as its user would run it. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly failureMessages: readonly string[] }[];
  }[];
}

it("runs with a broker that Vitest's global setup provides, and with one of a fixture", async () => {
  const scratch = await mkdtemp(join(tmpdir(), "quadrant-own-broker-"));
  try {
    const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
    const report = join(scratch, "report.json");
    const args = [vitest, "run", "--root", join(import.meta.dirname, "own-broker"), "--reporter=json"];
    // A run that fails is told by its report.
    await promisify(execFile)(process.execPath, [...args, `--outputFile=${report}`]).catch(() => undefined);
    const { testResults } = JSON.parse(await readFile(report, "utf8")) as Report;
    const results = testResults.flatMap(({ assertionResults }) => assertionResults);
    expect(results.map(({ status, failureMessages }) => [status, failureMessages.join("\n")])).toEqual([
      ["passed", ""],
      ["passed", ""],
    ]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
});
