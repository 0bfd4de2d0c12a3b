/**
 * npm run matrix [-- --report FILE… --out FILE]: which driver keeps which clause of the conformance suite, on which server.
 * Made from reports of Vitest's JSON reporter: those named, or else of the suite as it is run now, on the brokers of this
 * machine and, where a Docker engine answers, on those in containers. Printed as Markdown, and written to --out. Ends with 1
 * when a clause failed, or was not run though nobody said why.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { holesOf, markdownOf, matrixOf } from "@quadrant/testkit/suite";
import { root } from "./workspace.ts";

const everywhere = ["conformance.test.ts"];
/** What runs on servers of others. */
const served = ["packages/drivers/nats/src/conformance.test.ts", "packages/drivers/redis/src/conformance.test.ts"];

function dockerAnswers(): boolean {
  try {
    execFileSync("docker", ["info"], { stdio: "ignore", timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

/** Runs the suite; its report is written even where clauses fail. */
function report(via: "binary" | "docker", files: readonly string[], file: string): unknown {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", ...files, "--reporter=dot", "--reporter=json", `--outputFile.json=${file}`];
  const env = { ...process.env, QUADRANT_BROKERS: via };
  spawnSync(process.execPath, args, { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  return read(file);
}

function read(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8"));
}

function runAll(): readonly unknown[] {
  const folder = mkdtempSync(join(tmpdir(), "quadrant-matrix-"));
  try {
    const here = report("binary", everywhere, join(folder, "binary.json"));
    if (!dockerAnswers()) {
      process.stderr.write("no Docker engine answers: the matrix has the servers of this machine alone\n");
      return [here];
    }
    return [here, report("docker", served, join(folder, "docker.json"))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: { report: { type: "string", multiple: true, default: [] }, out: { type: "string" } },
});
const matrix = matrixOf(values.report.length > 0 ? values.report.map(read) : runAll());
const markdown = markdownOf(matrix);
process.stdout.write(markdown);
if (values.out !== undefined) writeFileSync(values.out, markdown);
const holes = holesOf(matrix);
for (const hole of holes) process.stderr.write(`${hole}\n`);
process.exitCode = holes.length === 0 ? 0 : 1;
