import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checksumBytes, eachChange } from "./journal.ts";
import { JournalTail } from "./journal-tail.ts";
import { RowReader, RowWriter } from "./row.ts";
import { SqliteFile } from "./sqlite-file.ts";
import { SqliteJournal } from "./sqlite-journal.ts";
import { TailFiles } from "./tail-files.ts";
import { readRun, recordHeader, runsToRepeat, tailPath } from "./tail-record.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quadrant-tail-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Rows = Map<number, string>;

function group(puts: readonly (readonly [number, string])[], removed: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const rows = new RowWriter();
  rows.remove([...removed]);
  for (const [row, text] of puts) rows.begin(row, 4).text(text).end();
  return rows.changes();
}

const options = (at: string) => ({ folder: at, sync: "off" as const, timeoutMs: 1_000 });

/** What is found by who opens the folder now. */
function rowsIn(at: string): Rows {
  const file = SqliteFile.open(options(at));
  const rows: Rows = new Map();
  try {
    new TailFiles(at, file).recover();
    for (const portion of file.load()) {
      const put = (row: number, stored: Buffer): void => {
        rows.set(row, new RowReader(Buffer.from(stored.subarray(checksumBytes))).text());
      };
      eachChange(Buffer.from(portion), { put, remove: () => undefined });
    }
  } finally {
    file.close();
  }
  return rows;
}

describe("the records of a tail", () => {
  const record = (epoch: number, number: number, text: string): Buffer =>
    Buffer.concat([recordHeader(epoch, number, Buffer.from(text)), Buffer.from(text)]);
  const runOf = (...records: Buffer[]) => readRun(Buffer.concat([...records, Buffer.alloc(64)]));

  test("are read as far as they follow each other", () => {
    const run = runOf(record(7, 3, "a"), record(7, 4, "bb"), record(7, 2, "of an earlier turn"), record(7, 5, "c"));
    expect(run).toMatchObject({ epoch: 7, first: 3, next: 5 });
    expect(run!.changes.map(String)).toEqual(["a", "bb"]);
    expect(runOf(record(7, 1, "a"), record(8, 2, "of another opening"))!.changes.map(String)).toEqual(["a"]);
    expect(runOf()).toBeUndefined();
  });

  test("that were not wholly written, or are not what was written, end a run", () => {
    const [first, second] = [record(7, 1, "first"), record(7, 2, "second")];
    for (let at = 0; at < second.length; at++) {
      const bad = Buffer.from(second);
      bad[at] = bad[at]! ^ 0x10;
      expect(runOf(first, bad)!.changes.map(String), `byte ${at}`).toEqual(["first"]);
      expect(readRun(Buffer.concat([first, second.subarray(0, at)]))!.changes.map(String)).toEqual(["first"]);
    }
  });

  test("are repeated with those of the file before, where they join", () => {
    const one = runOf(record(7, 1, "a"), record(7, 2, "b"))!;
    const two = runOf(record(7, 3, "c"))!;
    expect(runsToRepeat([two, one])).toEqual([one, two]);
    expect(runsToRepeat([undefined, two])).toEqual([two]);
    expect(runsToRepeat([runOf(record(7, 4, "d")), one])).toMatchObject([{ first: 4 }]);
    expect(runsToRepeat([undefined, undefined])).toEqual([]);
  });
});

describe("a journal with a tail", () => {
  test("keeps what was committed, wherever its process is killed, also while files are turned over", async () => {
    const step = fc.record({
      puts: fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 0, max: 60 })), { maxLength: 6 }),
      removed: fc.array(fc.nat(300), { maxLength: 4 }),
      after: fc.constantFrom("nothing", "nothing", "nothing", "empty", "crash"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), fc.boolean(), async (steps, inLoop) => {
        const at = mkdtempSync(join(folder, "run-"));
        const model: Rows = new Map();
        const gone = new Set<number>();
        const file = SqliteFile.open(options(at));
        const files = new TailFiles(at, file);
        files.make();
        const apply = async (index: 0 | 1, bytes: number, clear: boolean): Promise<number> => {
          files.apply(index, bytes);
          if (clear) files.clear(index);
          return 4_096;
        };
        // Small files, so that they are turned over every few groups.
        const tail = new JournalTail(at, 4_096, { durable: false, inLoop }, apply);
        for (const { puts, removed, after } of steps) {
          const out = removed.filter((row) => model.delete(row));
          for (const row of out) gone.add(row);
          const news = puts.filter(([row]) => !gone.has(row)).map(([row, n]) => [row, "x".repeat(n * 10)] as const);
          const changes = group(news, out);
          for (const [row, text] of news) model.set(row, text);
          if (changes.length > 0) expect(tail.takes(changes) && (await tail.append(changes))).toBe(true);
          if (after === "empty") await tail.empty();
          if (after !== "crash") continue;
          const copy = mkdtempSync(join(folder, "copy-"));
          cpSync(at, copy, { recursive: true });
          expect(rowsIn(copy)).toEqual(model);
          rmSync(copy, { recursive: true });
        }
        tail.close();
        file.close();
        expect(rowsIn(at)).toEqual(model);
        rmSync(at, { recursive: true });
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test("writes small groups from the loop itself, while the disk is quick, and lets timers have their turn", async () => {
    const file = SqliteFile.open(options(folder));
    const files = new TailFiles(folder, file);
    files.make();
    const tail = new JournalTail(folder, 1024 * 1024, { durable: false, inLoop: true }, () =>
      Promise.reject(new Error("full")),
    );
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 0);
    let row = 0;
    while (!fired || row < 200) expect(await tail.append(group([[++row, "x"]]))).toBe(true);
    tail.close();
    file.close();
    expect(rowsIn(folder).size).toBe(row);
  });

  test("gets it after some commits, and leaves nothing of it behind when it is closed", async () => {
    const journal = await SqliteJournal.open(options(folder));
    await journal.load(() => undefined);
    const format = (): number => readFileSync(join(folder, "journal.db")).readUInt32BE(60);
    let row = 0;
    while (!existsSync(tailPath(folder, 1))) await journal.commit(group([[++row, `row ${row}`]]));
    for (const end = row + 20; row < end; ) await journal.commit(group([[++row, `row ${row}`]], [row - 10]));
    // What is no record is committed beside it, and is not undone by what is in it.
    const large = "y".repeat(9_000_000);
    await journal.commit(group([[++row, large]]));
    await journal.commit(group([], [row]));
    await journal.close();
    expect([0, 1].map((index) => existsSync(tailPath(folder, index)))).toEqual([false, false]);
    expect(format()).toBe(1);
    expect(rowsIn(folder).get(row - 1)).toBe(`row ${row - 1}`);
    expect(rowsIn(folder).has(row)).toBe(false);
  });

  test("clears the older file first, since alone it would be repeated after what followed it", () => {
    const file = SqliteFile.open(options(folder));
    const files = new TailFiles(folder, file);
    files.make();
    const older = group([[1, "settled in the newest"]]);
    writeFileSync(tailPath(folder, 1), Buffer.concat([recordHeader(1, 1, older), older]));
    rmSync(tailPath(folder, 0));
    expect(() => files.clear(0)).toThrow();
    expect(readRun(readFileSync(tailPath(folder, 1)))).toBeUndefined();
    file.close();
  });

  test("is not to be opened by a release that knows of none, nor brought into a damaged file", () => {
    const file = SqliteFile.open(options(folder));
    file.commit(Buffer.from(group([[1, "in the file"]])));
    new TailFiles(folder, file).make();
    const changes = group([[2, "in the tail"]]);
    writeFileSync(tailPath(folder, 0), Buffer.concat([recordHeader(1, 1, changes), changes]));
    file.close();
    const path = join(folder, "journal.db");
    const good = readFileSync(path);
    expect(good.readUInt32BE(60), "its format").toBe(2);
    const bad = Buffer.from(good);
    const page = good.indexOf("in the file") & ~4_095;
    bad.writeUInt8(bad.readUInt8(page) ^ 0x55, page);
    writeFileSync(path, bad);
    expect(() => rowsIn(folder)).toThrow(/damaged/);
    expect(existsSync(tailPath(folder, 0))).toBe(true);
    rmSync(`${path}-wal`, { force: true });
    writeFileSync(path, good);
    expect([...rowsIn(folder).values()]).toEqual(["in the file", "in the tail"]);
  });
});
