import { describe, expect, expectTypeOf, it } from "vitest";
import { csv } from "../input/csv.ts";
import { ndjsonLines } from "../output/ndjson.ts";
import { ByteWriter } from "./byte-writer.ts";
import { bytes, type Codec, count, type Json, json, number, text } from "./codec.ts";
import { defineJob } from "./job.ts";

describe("defineJob", () => {
  it("takes strings to JSON where nothing is said", () => {
    const job = defineJob({
      name: "lengths",
      map: (line, emit) => {
        expectTypeOf(line).toEqualTypeOf<string>();
        emit(line, [line.length]);
      },
      reduce: (key, values, emit) => {
        expectTypeOf(key).toEqualTypeOf<string>();
        expectTypeOf(values).toEqualTypeOf<Iterable<Json>>();
        emit([key, JSON.stringify([...values])]);
      },
    });
    expect(job).toMatchObject({ sort: "ascending", key: text, input: { name: "lines" }, output: { name: "text" } });
  });

  it("infers keys, values, records and results from codecs and formats", () => {
    defineJob({
      name: "typed",
      input: csv(),
      key: number,
      value: count,
      output: ndjsonLines<{ readonly id: number; readonly times: number }>(),
      map: (record, emit) => {
        expectTypeOf(record).toEqualTypeOf<Readonly<Record<string, string>>>();
        emit(Number(record.id), 1);
        // @ts-expect-error: a key is a number
        expect(() => emit(record.id, 1)).toBeTypeOf("function");
      },
      combine: (a, b) => a + b,
      reduce: (id, counts, emit) => {
        expectTypeOf(id).toEqualTypeOf<number>();
        for (const times of counts) emit({ id, times });
      },
    });
  });

  it("takes types that are given", () => {
    defineJob<string, { readonly url: string }>({
      name: "given",
      map: (line, emit) => emit(line, { url: line }),
      reduce: (_line, values, emit) => {
        for (const { url } of values) emit(url);
      },
    });
  });
});

describe("a codec", () => {
  function coded<T>(codec: Codec<T>, value: T): { readonly bytes: Buffer; readonly read: T } {
    const writer = new ByteWriter();
    writer.byte(7);
    codec.write(value, writer);
    const written = Buffer.from(writer.written());
    return { bytes: written.subarray(1), read: codec.read(written, 1, written.length) };
  }

  it.each([0, 1, 127, 128, 16_384, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER])("count holds %d", (value) => {
    expect(coded(count, value).read).toBe(value);
  });

  it("number sorts as numbers do", () => {
    const values = [-Infinity, -1e300, -2, -1, -1e-300, 0, 1e-300, 0.5, 1, 2, 1e300, Infinity, NaN];
    const written = values.map((value) => coded(number, value));
    expect(written.map(({ read }) => read)).toEqual(values);
    expect([...written].sort((a, b) => Buffer.compare(a.bytes, b.bytes))).toEqual(written);
  });

  it("text, bytes and JSON are what they were", () => {
    expect(coded(text, "é漢😀\0").read).toBe("é漢😀\0");
    expect(coded(bytes, Uint8Array.of(0, 255)).read).toEqual(Uint8Array.of(0, 255));
    expect(coded(json<Json>(), { a: [1, null, "x"] }).read).toEqual({ a: [1, null, "x"] });
  });

  it.each([-1, 1.5, NaN, 2 ** 53])("count refuses %d", (value) => {
    expect(() => coded(count, value)).toThrow(/is not a whole number/);
  });
});
