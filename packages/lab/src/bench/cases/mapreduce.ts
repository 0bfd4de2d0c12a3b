import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import type { Bar, Case, Group, Sample, Scale, Variant } from "../case.ts";
import { duckdbPath } from "../mapreduce/duckdb.ts";
import { Engine } from "../mapreduce/engine.ts";
import { miscounted, removeCorpora, type WordCorpus, wordCorpus } from "../mapreduce/word-corpus.ts";
import { Scope } from "../scope.ts";

const plainJob = new URL(`../mapreduce/plain-word-count.${import.meta.url.split(".").at(-1)}`, import.meta.url).href;
const megabyte = 1_000_000;

type Counts = readonly (readonly [word: string, count: number])[];

function sampleOf(corpus: WordCorpus, tookMs: number, counts: Counts, figures?: Sample["figures"]): Sample {
  return { value: corpus.bytes / megabyte / (tookMs / 1_000), lost: miscounted(corpus, counts), figures };
}

function naive(bytes: number): Variant["measure"] {
  return () =>
    Scope.within(async (scope) => {
      const corpus = await wordCorpus(bytes);
      const folder = await scope.folder();
      const role = await scope.role("words");
      const began = performance.now();
      await role.ask("naive", { folder, paths: corpus.files.map(({ path }) => path) });
      return sampleOf(corpus, performance.now() - began, await countsIn(folder));
    });
}

/** The count table of the engine alone, in two processes: map, files for each partition, reduce, a part each. */
function bare(bytes: number): Variant["measure"] {
  return () =>
    Scope.within(async (scope) => {
      const corpus = await wordCorpus(bytes);
      const folder = await scope.folder();
      const roles = await Promise.all([0, 1].map((index) => scope.role("words", `words ${index}`)));
      const share = { folder, partitions: roles.length };
      const began = performance.now();
      await Promise.all(
        roles.map((role, index) => {
          const paths = corpus.files.flatMap(({ path }, at) => (at % roles.length === index ? [path] : []));
          return role.ask("map", { ...share, index, paths });
        }),
      );
      await Promise.all(roles.map((role, index) => role.ask("reduce", { ...share, index })));
      return sampleOf(corpus, performance.now() - began, await countsIn(folder));
    });
}

const awkProgram =
  "{ for (i = 1; i <= NF; i++) count[tolower($i)]++ } END { for (word in count) print word, count[word] }";
const run = promisify(execFile);

/** Two processes, each half of the files; words of bytes, so that the result is not quite right, and the halves are not added up. */
function mawk(bytes: number): Variant["measure"] {
  return async () => {
    const corpus = await wordCorpus(bytes);
    const began = performance.now();
    await Promise.all(
      [0, 1].map((index) => {
        const paths = corpus.files.flatMap(({ path }, at) => (at % 2 === index ? [path] : []));
        return run("mawk", ["-F", "[^A-Za-z0-9\\200-\\377]+", awkProgram, ...paths], { maxBuffer: 1 << 30 });
      }),
    );
    return { value: corpus.bytes / megabyte / ((performance.now() - began) / 1_000) };
  };
}

function duckdb(bytes: number): Variant["measure"] {
  return () =>
    Scope.within(async (scope) => {
      const corpus = await wordCorpus(bytes);
      const out = await scope.folder();
      const role = await scope.role("duckdb");
      const began = performance.now();
      await role.ask("count", { folder: corpus.folder, out, threads: 2 });
      return sampleOf(corpus, performance.now() - began, await countsIn(out));
    });
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** All roles as processes over a hub; from submission until the result is committed. */
function engine(bytes: number, module: string, workers: number): Variant["measure"] {
  return () =>
    Scope.within(async (scope) => {
      const corpus = await wordCorpus(bytes);
      const started = await Engine.overBroker(scope, "hub", workers);
      const reference = { module };
      // Roles find each other, and load what they need, with a file that is nothing to count.
      await started.run({ reference, inputs: [corpus.files[0]!.path] });
      const { summary, tookMs } = await started.run({ reference, inputs: [corpus.folder] });
      const peak = await started.peakMiB();
      const figures = { "map tasks": summary.maps, "peak MiB of a worker": Math.round(peak), seconds: tookMs / 1_000 };
      return sampleOf(corpus, tookMs, await countsIn(summary.out), figures);
    });
}

async function countsIn(folder: string): Promise<Counts> {
  const parts = (await readdir(folder)).filter((name) => name.startsWith("part-"));
  const texts = await Promise.all(parts.map((name) => readFile(join(folder, name), "utf8")));
  return texts.flatMap((text) =>
    text
      .split("\n")
      .slice(0, -1)
      .map((line): readonly [string, number] => [
        line.slice(0, line.indexOf("\t")),
        Number(line.slice(line.indexOf("\t") + 1)),
      ]),
  );
}

function group(size: string, bytes: number, atLeast: Bar): Group {
  return {
    name: `word count of ${size}, all roles and the hub as processes`,
    unit: "MB/s",
    better: "more",
    variants: [
      { name: "naive program, one process", measure: naive(bytes) },
      ...(isInstalled("mawk") ? [{ name: "mawk, two processes", measure: mawk(bytes) }] : []),
      ...(duckdbPath() === undefined ? [] : [{ name: "DuckDB, two threads", measure: duckdb(bytes) }]),
      { name: "bare count table, two processes", measure: bare(bytes) },
      {
        name: "two workers",
        bars: [atLeast, { of: "ratio", atLeast: 10 }],
        measure: engine(bytes, "word-count", 2),
      },
      {
        name: "two workers, map and reduce in plain JavaScript",
        bars: [{ of: "ratio", atLeast: 4 }],
        measure: engine(bytes, plainJob, 2),
      },
    ],
  };
}

function scaling(bytes: number): Group {
  return {
    name: "word count of 1 GB: what a second worker brings",
    unit: "MB/s",
    better: "more",
    variants: [
      { name: "one worker", measure: engine(bytes, "word-count", 1) },
      { name: "two workers", bars: [{ of: "ratio", atLeast: 1.5 }], measure: engine(bytes, "word-count", 2) },
    ],
  };
}

export const mapreduce: Case = {
  name: "mapreduce",
  question: "How quick is a whole job, against programs that only count?",
  groups: ({ divisor }: Scale) => [
    group("100 MB", (100 * megabyte) / divisor, { of: "value", atLeast: 100 }),
    group("1 GB", (1_000 * megabyte) / divisor, { of: "value", atLeast: 250 }),
    scaling((1_000 * megabyte) / divisor),
  ],
  close: removeCorpora,
};
