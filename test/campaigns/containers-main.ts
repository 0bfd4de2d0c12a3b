import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { connect } from "@quadrant/bus";
import { type AttemptBeat, writeCorpus } from "@quadrant/mapreduce";

/**
 * npm run campaign:containers [-- --megabytes 48]: the roles of MapReduce in the containers of docker-compose.yml, four workers
 * over NATS that share nothing but the bus and the input. While they count words, two of them are killed. Ends with 1 unless
 * each word was counted as often as the corpus has it. Needs Docker and Docker Compose; COMPOSE_PROJECT_NAME and
 * QUADRANT_NATS_PORT as for docker-compose.yml.
 */
const root = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);
const { values } = parseArgs({ options: { megabytes: { type: "string", default: "48" } } });
const megabyte = 1_000_000;
const workers = 4;
const killed = 2;

async function compose(command: string, input: string): Promise<void> {
  const env = { ...process.env, QUADRANT_MAPREDUCE_INPUT: input };
  const child = spawn("bash", [join(root, ".ci/compose"), command], { env, stdio: ["ignore", "inherit", "inherit"] });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error(`.ci/compose ${command} ended with ${code}`);
}

async function containersOf(service: string): Promise<readonly string[]> {
  const project = process.env.COMPOSE_PROJECT_NAME ?? "quadrant";
  const filters = ["--filter", `label=com.docker.compose.project=${project}`];
  const { stdout } = await run("docker", [
    "ps",
    "-q",
    ...filters,
    "--filter",
    `label=com.docker.compose.service=${service}`,
  ]);
  return stdout.split("\n").filter((id) => id !== "");
}

async function countsIn(folder: string): Promise<ReadonlyMap<string, number>> {
  const parts = (await readdir(folder)).filter((name) => name.startsWith("part-"));
  const texts = await Promise.all(parts.map((name) => readFile(join(folder, name), "utf8")));
  const lines = texts.flatMap((text) => text.split("\n").slice(0, -1));
  return new Map(lines.map((line) => line.split("\t")).map(([word, count]) => [word!, Number(count)]));
}

async function countWhileWorkersDie(out: string): Promise<number> {
  const url = `nats://127.0.0.1:${process.env.QUADRANT_NATS_PORT ?? 4222}`;
  await using bus = await connect(url, { timeoutMs: 30_000 });
  await using attempts = await bus.subscribe<AttemptBeat>("mapreduce.*.attempt");
  const submit = [
    "submit",
    "word-count",
    "/input",
    "--shuffle",
    "bus",
    "--split-bytes",
    "1m",
    "--reducers",
    "3",
    "--workers",
    "4",
  ];
  const options = ["--lease", "3s", "--out", out, "--wait", "--quiet", "--url", url];
  const main = join(root, "packages/cli/src/main.ts");
  const job = spawn(process.execPath, [main, "mapreduce", ...submit, ...options], { stdio: ["ignore", 2, 2] });
  const ended = once(job, "exit") as Promise<[number | null]>;
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  // Somebody is at work.
  for await (const _ of attempts) break;
  const victims = (await containersOf("worker")).slice(0, killed);
  await run("docker", ["kill", ...victims]);
  if (victims.length < killed || isOver)
    throw new Error("the job was over before two workers were killed: give it more");
  const [code] = await ended;
  if (code !== 0) throw new Error(`the job ended with ${code}`);
  return victims.length;
}

const folder = await mkdtemp(join(tmpdir(), "quadrant-containers-"));
try {
  const input = join(folder, "input");
  const corpus = await writeCorpus(input, { seed: 7, bytes: Number(values.megabytes) * megabyte });
  // The roles run as another user.
  await chmod(folder, 0o755);
  await compose("workers", input);
  const running = (await containersOf("worker")).length;
  if (running !== workers) throw new Error(`${running} workers run instead of ${workers}`);
  const began = performance.now();
  const deaths = await countWhileWorkersDie(join(folder, "out"));
  const seconds = (performance.now() - began) / 1_000;
  const counts = await countsIn(join(folder, "out"));
  const wrong = [...corpus.counts].filter(([word, count]) => counts.get(word) !== count).length;
  const identical = wrong === 0 && counts.size === corpus.counts.size;
  process.stdout.write(
    `${JSON.stringify({ workers, deaths, bytes: corpus.bytes, words: counts.size, wrong, seconds, identical })}\n`,
  );
  process.exitCode = identical ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
