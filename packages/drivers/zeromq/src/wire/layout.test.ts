import fc from "fast-check";
import { expect, test } from "vitest";
import { Batch } from "./batch.ts";
import { layouts } from "./layout.ts";
import { Operation } from "./operation.ts";
import { dataHeaderBytes } from "./packet.ts";
import { RecordKind, recordHeaderBytes } from "./record.ts";
import type { Values } from "./values.ts";

type Row = readonly unknown[];

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const number = fc.double({ noNaN: true });
const optional = <T>(some: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(some, { nil: null });
const mediaType = fc.constantFrom("", "application/json", "application/x-other");
const body = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
const headers = fc.array(fc.tuple(text, text), { maxLength: 3 }).map((pairs) => pairs.flat());
const failure = fc.tuple(fc.constantFrom("stale", "overflow"), text);

const letter = fc.tuple(
  text,
  fc.boolean(),
  headers,
  mediaType,
  body,
  optional(number),
  optional(number),
  optional(text),
);
const leased = fc.tuple(text, headers, mediaType, body, text, text, fc.nat(), number, optional(number));
const settlement: fc.Arbitrary<Row> = fc.oneof(
  fc.tuple(fc.constantFrom("ack", "release"), text),
  fc.tuple(fc.constant("nak"), text, number, fc.constant(null), fc.constant(null)),
  fc.tuple(fc.constant("nak"), text, number, text, text),
  fc.tuple(fc.constant("reject"), text, fc.constant(0), text, text),
);
const outcome: fc.Arbitrary<Row> = fc.oneof(
  fc.tuple(fc.boolean()),
  failure.map(([code, message]) => [false, code, message]),
);

/** Values of the requests and results of each operation that has a layout. */
type Sample = readonly [request: fc.Arbitrary<Row>, result: fc.Arbitrary<Row>];
const matching: Sample = [fc.tuple(text, text), fc.tuple(optional(text))];
const samples: ReadonlyMap<number, Sample> = new Map<number, Sample>([
  [Operation.queueSend, [fc.tuple(text, fc.array(letter)), fc.tuple(fc.array(outcome))]],
  [Operation.queueFetch, [fc.tuple(text, number, optional(number)), fc.tuple(fc.array(leased))]],
  [Operation.queueSettle, [fc.tuple(text, fc.array(settlement)), fc.tuple(fc.array(optional(failure)))]],
  [Operation.spaceOut, [fc.tuple(text, text, optional(number)), fc.tuple(text, number)]],
  [Operation.spaceTake, matching],
  [Operation.spaceRead, matching],
  [Operation.spaceTakeNow, matching],
  [Operation.spaceReadNow, matching],
]);

function written(write: (batch: Batch) => void): Buffer {
  const batch = new Batch();
  write(batch.begin(RecordKind.request));
  batch.end();
  return batch.packet().subarray(dataHeaderBytes + recordHeaderBytes);
}

function rows(values: Values, length: number): Row {
  return Array.from({ length }, (_, index) => values.raw(index));
}

test("every layout has samples", () => {
  expect([...samples.keys()].sort()).toEqual([...layouts.keys()].sort());
});

test.each([...samples])(
  "operation %i: values come out as they went in, cut ones are invalid or others",
  (code, sample) => {
    const layout = layouts.get(code)!;
    const [request, result] = sample;
    for (const [values, write, read] of [
      [request, layout.writeRequest, layout.readRequest],
      [result, layout.writeResult, layout.readResult],
    ] as const) {
      fc.assert(
        fc.property(values, fc.nat(), fc.nat(255), (row, at, noise) => {
          const bytes = written((batch) => write(batch, row));
          expect(rows(read(bytes), row.length)).toEqual(row);
          const mutated = Buffer.from(bytes);
          mutated[at % mutated.length] = noise;
          for (const bad of [bytes.subarray(0, at % bytes.length), mutated]) {
            try {
              read(bad);
            } catch (error) {
              expect(error).toMatchObject({ code: "invalid" });
            }
          }
        }),
        { numRuns: 200 },
      );
    }
  },
);

test("a name that no field carries is refused before anything is sent", () => {
  const batch = new Batch();
  batch.begin(RecordKind.request);
  expect(() => layouts.get(Operation.spaceTake)!.writeRequest(batch, ["x".repeat(70_000), "t"])).toThrow(
    expect.objectContaining({ code: "too-large" }),
  );
  batch.drop();
  expect(batch.empty).toBe(true);
});
