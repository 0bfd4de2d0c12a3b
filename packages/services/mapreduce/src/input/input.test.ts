import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { csv } from "./csv.ts";
import { generated } from "./generated.ts";
import type { FileRange, Input } from "./input.ts";
import { lines } from "./lines.ts";
import { ndjson } from "./ndjson.ts";
import { parquet } from "./parquet.ts";
import { planSplits } from "./plan.ts";
import { wholeFiles } from "./whole-files.ts";
import { words } from "./words.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array, name = "file"): Promise<FileRange> {
  const path = join(folder, name);
  await writeFile(path, content);
  return { path, start: 0, end: (await stat(path)).size };
}

/** Records with their offsets, as map would get them; asks for a turn after each. */
async function read<R>(input: Input<R>, ...ranges: readonly FileRange[]): Promise<readonly (readonly [R, number])[]> {
  const found: [R, number][] = [];
  for (const range of ranges) {
    await input.read(range, (raw, offset) => {
      const record = input.record(raw);
      if (record !== undefined) found.push([record, offset]);
      return true;
    });
  }
  return found;
}

async function readInSplits<R>(
  input: Input<R>,
  range: FileRange,
  splitBytes: number,
): Promise<readonly (readonly [R, number])[]> {
  const { splits } = await planSplits(input, [{ path: range.path, bytes: range.end }], { splitBytes });
  return read(input, ...splits.flatMap((split) => split.ranges));
}

describe("lines", () => {
  it.each([
    ["", []],
    ["\n", ["", 0]],
    ["a", ["a", 0]],
    ["a\nb", ["a", 0, "b", 2]],
    ["a\r\nb\r\n\r\n", ["a", 0, "b", 3, "", 6]],
    ["a\rb\n\r", ["a\rb", 0, "\r", 4]],
    ["é\r\nü\n", ["é", 0, "ü", 4]],
  ])("of %j", async (text, expected) => {
    const found = await read(lines, await file(text));
    expect(found.flat()).toEqual(expected);
  });

  it("are the same wherever the file is cut, also within characters, and with replacement for what is none", async () => {
    const piece = fc.constantFrom("a", "bc", "\n", "\r\n", "é", "漢", "😀", "\r");
    const bytes = fc.array(
      fc.oneof(
        piece.map((text) => Buffer.from(text)),
        fc.constantFrom(Buffer.from([0xe2]), Buffer.from([0xff])),
      ),
      {
        maxLength: 60,
      },
    );
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 20 }), async (given, splitBytes) => {
        const range = await file(Buffer.concat(given));
        const expected = Buffer.concat(given).toString("latin1").split("\n");
        if (expected.at(-1) === "") expected.pop();
        const decoded = expected.map((line, at) => {
          const ended = at < expected.length - 1 || Buffer.concat(given).at(-1) === 0x0a;
          return Buffer.from(ended ? line.replace(/\r$/, "") : line, "latin1").toString();
        });
        expect((await readInSplits(lines, range, splitBytes)).map(([line]) => line)).toEqual(decoded);
      }),
      { numRuns: 60 },
    );
  });

  it("longer than a block", async () => {
    const long = "x".repeat(3_000_000);
    expect((await read(lines, await file(`${long}\n${long}é\nend`))).map(([line]) => line.length)).toEqual([
      3_000_000, 3_000_001, 3,
    ]);
  });

  it("of a file that became shorter are an error", async () => {
    const range = await file("one\ntwo\n");
    await expect(read(lines, { ...range, end: 100 })).rejects.toThrow(/ended at byte 8, 92 before what was listed/);
  });
});

it("words are the same wherever the file is cut", async () => {
  const range = await file("one two—three ÉTÉ don’t\r\nfour ".repeat(50));
  const whole = (await read(words, range)).map(([word]) => word);
  expect(whole.slice(0, 7)).toEqual(["one", "two", "three", "été", "don", "t", "four"]);
  for (const splitBytes of [1, 7, 100]) {
    expect((await readInSplits(words, range, splitBytes)).map(([word]) => word)).toEqual(whole);
  }
});

it("whole files come with their paths", async () => {
  const range = await file("all\nof it");
  expect(await read(wholeFiles, range)).toEqual([[{ path: range.path, bytes: Buffer.from("all\nof it") }, 0]]);
});

it("NDJSON is values, without blank lines; a line that is none fails where it is made a record", async () => {
  expect(await read(ndjson(), await file('{"a":1}\n\n[2]\r\n"x"'))).toEqual([
    [{ a: 1 }, 0],
    [[2], 9],
    ["x", 14],
  ]);
  expect(() => ndjson().record("{")).toThrow(SyntaxError);
});

describe("CSV", () => {
  it("has fields by column, with line ends and quotes in them", async () => {
    const range = await file('\uFEFFid,text\r\n1,"a, ""b""\r\nc"\r\n2,é\r\n');
    expect((await read(csv(), range)).map(([record]) => record)).toEqual([
      { id: "1", text: 'a, "b"\r\nc' },
      { id: "2", text: "é" },
    ]);
  });

  it("may have its columns named, and another delimiter", async () => {
    const range = await file("1;x\n2;y\n");
    expect((await read(csv({ delimiter: ";", columns: ["id", "name"] }), range)).map(([record]) => record)).toEqual([
      { id: "1", name: "x" },
      { id: "2", name: "y" },
    ]);
  });

  it("is never cut", async () => {
    const range = await file(`id,text\n${'1,"\n"\n'.repeat(1_000)}`);
    const { splits } = await planSplits(csv(), [{ path: range.path, bytes: range.end }], { splitBytes: 100 });
    expect(splits).toEqual([{ ranges: [{ ...range, source: undefined }], bytes: range.end }]);
  });

  it("that is none is an error", async () => {
    await expect(read(csv(), await file('a,b\n"x,y\n'))).rejects.toThrow(/Quote Not Closed/);
  });
});

it("Parquet is rows by column, group after group", async () => {
  const columnData = [
    { name: "id", data: Array.from({ length: 1_000 }, (_, i) => i), type: "INT32" as const },
    { name: "name", data: Array.from({ length: 1_000 }, (_, i) => `name ${i}`), type: "STRING" as const },
  ];
  const range = await file(new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 300 })));
  const found = await read(parquet<{ id: number; name: string }>(), range);
  expect(found).toHaveLength(1_000);
  expect(found[777]).toEqual([{ id: 777, name: "name 777" }, 777]);
  expect((await read(parquet({ columns: ["id"] }), range))[3]).toEqual([{ id: 3 }, 3]);
});

it("a function makes records, a split for each part", async () => {
  const input = generated(3, (part) => [`${part}a`, `${part}b`]);
  const { splits } = await planSplits(input, []);
  expect(splits).toHaveLength(3);
  expect(await read(input, ...splits.flatMap((split) => split.ranges))).toEqual([
    ["0a", 0],
    ["0b", 1],
    ["1a", 0],
    ["1b", 1],
    ["2a", 0],
    ["2b", 1],
  ]);
});

describe("splits", () => {
  const splitOf = (path: string, bytes: number): { path: string; start: number; end: number; source: undefined } => ({
    path,
    start: 0,
    end: bytes,
    source: undefined,
  });

  it("put small files together and leave out empty ones", async () => {
    const files = [10, 0, 20, 60, 5, 90].map((bytes, at) => ({ path: `file ${at}`, bytes }));
    const { splits } = await planSplits(words, files, { splitBytes: 100 });
    expect(splits.map(({ bytes, ranges }) => [bytes, ...ranges])).toEqual([
      [95, splitOf("file 0", 10), splitOf("file 2", 20), splitOf("file 3", 60), splitOf("file 4", 5)],
      [90, splitOf("file 5", 90)],
    ]);
  });

  it("name no more than so many files", async () => {
    const files = Array.from({ length: 600 }, (_, at) => ({ path: `file ${at}`, bytes: 1 }));
    const { splits } = await planSplits(words, files, { splitBytes: 1_000 });
    expect(splits.map(({ ranges }) => ranges.length)).toEqual([256, 256, 88]);
  });

  it("tell which files cannot be cut because they cannot be read", async () => {
    const { splits, unread } = await planSplits(words, [{ path: join(folder, "gone"), bytes: 1_000 }], {
      splitBytes: 10,
    });
    expect(splits).toEqual([]);
    expect(unread).toEqual([{ path: join(folder, "gone"), message: expect.stringContaining("ENOENT") }]);
  });
});
