import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, connect } from "@quadrant/bus";
import {
  awaitJob,
  couplings,
  followJob,
  runJob,
  type SubmissionRequest,
  type Summary,
  submitJob,
} from "@quadrant/mapreduce";
import { type BrokerKind, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "./mapreduce/cluster.ts";
import { executionsIn } from "./mapreduce/jobs/parallel.ts";
import { ownJob } from "./mapreduce/jobs.ts";
import { partsIn, referenceOf } from "./mapreduce/reference.ts";

/**
 * The roles of MapReduce as processes over each broker: the lab tests of MIT 6.5840 restated, and each coupling. What one role's
 * death means is in packages/services/mapreduce; deaths at random are in campaigns/mapreduce.ts.
 */
const never = new AbortController().signal;
const files = 8;
let scratch: string;
let input: string;
let serial = 0;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "quadrant-mapreduce-"));
  input = join(scratch, "input");
  await mkdir(input);
  for (let file = 0; file < files; file++) {
    const lines = Array.from({ length: 30 }, (_, line) => `w${(line * 7 + file) % 23} constructor w${line} __proto__`);
    await writeFile(join(input, `text-${file}.txt`), `${lines.join("\n")}\n`);
  }
});
afterAll(() => rm(scratch, { recursive: true }));

/** A job with a map task for each file. */
function requestOf(
  reference: SubmissionRequest["reference"],
  change: Partial<SubmissionRequest> = {},
): SubmissionRequest {
  const out = join(scratch, `out-${++serial}`);
  return {
    reference,
    inputs: [input],
    out,
    reducers: 3,
    workers: 2,
    splitBytes: 500,
    speculative: false,
    leaseMs: 30_000,
    ...change,
  };
}

async function run(bus: Bus, request: SubmissionRequest): Promise<Summary> {
  const { job } = await submitJob(bus, request);
  return awaitJob(bus, job, never);
}

describe.each(["memory:", "file:"])("MapReduce embedded on %s", (scheme) => {
  it.each(couplings)("coupled by %s: the bytes of the reference", async (coupling) => {
    const folder = join(scratch, `bus-${++serial}`);
    await using bus = await connect(scheme === "file:" ? `file:${folder}` : scheme);
    for (const module of ["word-count", "inverted-index"]) {
      const request = requestOf({ module }, { coupling });
      expect(await runJob(bus, request, { embedded: true })).toMatchObject({ outcome: "done", failures: 0 });
      expect(await partsIn(request.out)).toEqual(await referenceOf({ module }, input, 3));
    }
  });
});

describe.each(["zeromq", "nats", "redis"] as const satisfies readonly BrokerKind[])(
  "MapReduce as processes over %s",
  (kind) => {
    let broker: StartedBroker;
    let cluster: Cluster;
    let bus: Bus;

    beforeAll(async () => {
      broker = await startBroker(kind);
      cluster = new Cluster(broker.url, { slots: 2 });
      bus = await connect(broker.url, broker.options);
    });
    afterAll(async () => {
      await cluster[Symbol.asyncDispose]();
      await bus.close();
      await broker[Symbol.asyncDispose]();
    });

    it("each coupling, and both shuffles, four jobs at once: the bytes of the reference", async () => {
      const requests = couplings.map((coupling, at) =>
        requestOf(
          { module: at % 2 === 0 ? "word-count" : "inverted-index" },
          { coupling, shuffle: at < 2 ? "files" : "bus" },
        ),
      );
      const summaries = await Promise.all(requests.map((request) => run(bus, request)));
      for (const [at, summary] of summaries.entries()) {
        expect(summary).toMatchObject({ outcome: "done", reduces: 3, failures: 0 });
        expect(await partsIn(summary.out)).toEqual(await referenceOf(requests[at]!.reference, input, 3));
      }
      expect(await bus.list("blobs")).toEqual([]);
    });

    it("map parallelism and job count: two at a time, each task once", async () => {
      const folder = join(scratch, `meeting-${++serial}`);
      await mkdir(folder);
      const lines = join(scratch, `lines-${++serial}`);
      await mkdir(lines);
      for (let file = 0; file < files; file++) await writeFile(join(lines, `${file}.txt`), `line ${file}`);
      const reference = ownJob("parallel", { folder, phase: "map" });
      const request = requestOf(reference, { inputs: [lines], splitBytes: 1 });
      expect(await run(bus, request)).toMatchObject({ outcome: "done", maps: files, workers: 2 });
      expect([...(await partsIn(request.out)).values()].join("").match(/\t\d+$/gm)).toEqual(Array(files).fill("\t2"));
      expect([...executionsIn(folder)].sort()).toEqual((await readdir(lines)).map((name) => join(lines, name)).sort());
    });

    it("reduce parallelism: two at a time", async () => {
      const folder = join(scratch, `meeting-${++serial}`);
      await mkdir(folder);
      const request = requestOf(ownJob("parallel", { folder, phase: "reduce" }), { reducers: 2 });
      expect(await run(bus, request)).toMatchObject({ outcome: "done", reduces: 2 });
      const numbers = [...(await partsIn(request.out)).values()].join("").match(/\t\d+$/gm);
      expect(new Set(numbers)).toEqual(new Set(["\t2"]));
    });

    it("early exit: whoever hears that it is done finds all of it", async () => {
      const request = requestOf(ownJob("slow-words", { lineMs: 3 }));
      const { job } = await submitJob(bus, request);
      for await (const { kind: what } of followJob(bus, job, never)) {
        if (what === "ended") expect((await readdir(request.out)).length).toBe(4);
      }
      expect(await partsIn(request.out)).toEqual(await referenceOf(request.reference, input, 3));
    });

    it("crash: tasks that kill their process or stall change nothing", async () => {
      const request = requestOf(ownJob("crashing", { stallMs: 2_000 }), {
        leaseMs: 1_000,
        inputs: [join(input, "text-0.txt")],
        splitBytes: 200,
      });
      expect(await run(bus, request)).toMatchObject({ outcome: "done" });
      const steady = requestOf(ownJob("steady"));
      expect(await partsIn(request.out)).toEqual(await referenceOf(steady.reference, join(input, "text-0.txt"), 3));
    });
  },
);
