import { encodeTemplate } from "@quadrant/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import { drawnHistory, everything, plants, type Step, space, tupleOf } from "./drawn-space.ts";
import { type Drawn, sketch } from "./sketch.ts";

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("out", "out", "out", "in", "inp", "rd", "rdp", "claim"),
  process: fc.nat(3),
  bucket: fc.nat(2),
  template: fc.constantFrom("exact", "bucket", "any"),
  before: fc.nat(1_900),
  after: fc.nat(1_900),
});
const steps = fc.array(step, { minLength: 5, maxLength: 120 });
const rulesOf = (drawn: readonly Drawn[], killed: readonly string[] = []): string[] =>
  check(sketch(drawn, killed)).violations.map(({ rule }) => rule);

describe("of tuple spaces", () => {
  it("random histories that keep every promise pass", () => {
    fc.assert(
      fc.property(steps, (drawn) => {
        expect(check(sketch(drawnHistory(drawn))).violations).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it.each(Object.entries(plants))("a planted fault is found: %s", (_, { rules, plant }) => {
    let planted = 0;
    fc.assert(
      fc.property(steps, fc.nat(), (drawn, pick) => {
        const faulty = plant(drawnHistory(drawn), pick);
        if (faulty === undefined) return;
        planted++;
        expect(rulesOf(faulty)).toEqual(expect.arrayContaining([expect.toBeOneOf([...rules])]));
      }),
      { numRuns: 200 },
    );
    expect(planted).toBeGreaterThan(50);
  });

  const out = (n: number, began: number, ended: number): Drawn => ({
    ...{ process: "a", op: "space.out", on: space, args: { tuple: tupleOf(1, n) }, began, ended },
  });
  const asked = (op: string, began: number, ended: number | undefined, more: Partial<Drawn>): Drawn => ({
    ...{ process: "b", op: `space.${op}`, on: space, args: { template: everything }, began, ended },
    ...more,
  });
  const found = (n: number): Partial<Drawn> => ({ value: { tuple: tupleOf(1, n) } });

  it("an absence may be at a moment between two tuples, and not where they overlap", () => {
    const apart = [out(1, 0, 10), asked("in", 40, 50, found(1)), out(2, 45, 60), asked("inp", 20, 70, { value: {} })];
    expect(rulesOf(apart)).toEqual([]);
    const overlapping = [
      out(1, 0, 10),
      asked("in", 50, 60, found(1)),
      out(2, 20, 30),
      asked("inp", 15, 55, { value: {} }),
    ];
    expect(rulesOf(overlapping)).toContain("missed");
  });

  it("a take whose end nobody knows explains one missing tuple, not two", () => {
    const unknown = asked("in", 20, undefined, { process: "killed" });
    const nothing = asked("rdAll", 20_000_000, 20_000_010, { value: { tuples: [] } });
    expect(rulesOf([out(1, 0, 10), unknown, nothing], ["killed"])).toEqual([]);
    expect(rulesOf([out(1, 0, 10), out(2, 0, 10), unknown, nothing], ["killed"])).toEqual(["lost"]);
  });

  it("unknown takes are given to the tuples that they match, whatever was given first", () => {
    const one = encodeTemplate(["t", 1, 1]);
    const takes = [
      asked("in", 20, undefined, { process: "killed", n: 1 }),
      asked("in", 20, undefined, { process: "killed", n: 2, args: { template: one } }),
    ];
    const nothing = asked("rdAll", 100, 110, { value: { tuples: [] } });
    expect(rulesOf([out(1, 0, 10), out(2, 0, 10), ...takes, nothing], ["killed"])).toEqual([]);
    expect(rulesOf([out(2, 0, 10), out(3, 0, 10), ...takes, nothing], ["killed"])).toEqual(["lost"]);
  });

  it("an out that failed was not done, one that is indefinite may have been", () => {
    const failed: Drawn = { ...out(1, 0, 10), outcome: "failed", code: "unavailable" };
    expect(rulesOf([failed, asked("rd", 20, 30, found(1))])).toEqual(["failed-yet-there"]);
    const indefinite: Drawn = { ...out(1, 0, 10), outcome: "indefinite", code: "indefinite" };
    expect(rulesOf([indefinite, asked("rd", 20, 30, found(1))])).toEqual([]);
    expect(rulesOf([indefinite, asked("rdp", 20, 30, { value: {} })])).toEqual([]);
  });

  it("what is claimed is away while it is held, and back once it is not", () => {
    const claim = asked("claim", 20, 30, { ...found(1), n: 7, args: { template: everything, leaseMs: 1_000 } });
    const nak: Drawn = { process: "b", op: "claim.nak", on: space, args: { of: 7 }, began: 60, ended: 70, n: 8 };
    const other = { process: "c" };
    expect(rulesOf([out(1, 0, 10), claim, nak, asked("rdp", 40, 50, { ...other, value: {} })])).toEqual([]);
    expect(rulesOf([out(1, 0, 10), claim, nak, asked("rdp", 40, 50, { ...other, ...found(1) })])).toEqual([
      "held-twice",
    ]);
    expect(rulesOf([out(1, 0, 10), claim, nak, asked("rdp", 80, 90, { ...other, value: {} })])).toEqual(["missed"]);
    const ack: Drawn = { ...nak, op: "claim.ack" };
    expect(rulesOf([out(1, 0, 10), claim, ack, asked("rdp", 80, 90, { ...other, value: {} })])).toEqual([]);
    expect(rulesOf([out(1, 0, 10), claim, ack, asked("rdp", 80, 90, { ...other, ...found(1) })])).toEqual([
      "resurrected",
    ]);
  });

  it("a lease may end any time after it can have begun, and does end", () => {
    const leased: Drawn = { ...out(1, 0, 10), args: { tuple: tupleOf(1, 1), leaseMs: 1 } };
    expect(rulesOf([leased, asked("rdp", 1_100, 1_110, { value: {} })])).toEqual([]);
    expect(rulesOf([leased, asked("rdp", 100, 110, { value: {} })])).toEqual(["missed"]);
    expect(rulesOf([leased, asked("rdp", 900_000, 900_010, found(1))])).toEqual(["resurrected"]);
  });

  it("what a transaction put or took counts once it was committed, and not when it was aborted", () => {
    const within = { transaction: 5 };
    const put: Drawn = { ...out(1, 0, 10), args: { tuple: tupleOf(1, 1), ...within }, process: "b", n: 6 };
    const end = (op: string): Drawn => ({ process: "b", op, on: "", args: { of: 5 }, began: 50, ended: 60, n: 9 });
    expect(rulesOf([put, end("transaction.commit"), asked("rdp", 70, 80, { value: {} })])).toEqual(["missed"]);
    expect(rulesOf([put, end("transaction.abort"), asked("rdp", 70, 80, { value: {} })])).toEqual([]);
    const take = asked("in", 20, 30, { ...found(1), args: { template: everything, ...within }, n: 8 });
    expect(rulesOf([out(1, 0, 10), take, end("transaction.abort"), asked("rdp", 70, 80, { value: {} })])).toEqual([
      "missed",
    ]);
    expect(rulesOf([out(1, 0, 10), take, end("transaction.commit"), asked("rdp", 70, 80, { value: {} })])).toEqual([]);
  });

  it("the work grows with the history by hardly more than its length", () => {
    const stepsFor = (tuples: number): number => {
      const drawn = Array.from({ length: tuples }, (_, n): Drawn[] => {
        const [at, template] = [n * 50, encodeTemplate(["t", n % 100, Number])];
        const tuple = tupleOf(n % 100, n);
        return [
          { process: "a", op: "space.out", on: space, args: { tuple }, began: at, ended: at + 30 },
          {
            process: "b",
            op: "space.rdp",
            on: space,
            args: { template },
            began: at + 20,
            ended: at + 40,
            value: { tuple },
          },
          {
            process: "b",
            op: "space.in",
            on: space,
            args: { template },
            began: at + 20,
            ended: at + 60,
            value: { tuple },
          },
          { process: "c", op: "space.inp", on: space, args: { template }, began: at + 10, ended: at + 80, value: {} },
          {
            process: "c",
            op: "space.rdp",
            on: space,
            args: { template: everything },
            began: at,
            ended: at + 99,
            value: {},
          },
        ];
      }).flat();
      const report = check(sketch(drawn));
      expect(report.violations).toEqual([]);
      return report.steps;
    };
    const [small, large] = [stepsFor(2_000), stepsFor(32_000)];
    // Sixteen times the history, and a little more for the logarithm: far from the 256 times of a square.
    expect(large / small).toBeLessThan(16 * 1.5);
    expect(large).toBeLessThan(5 * 32_000 * Math.log2(32_000));
  });
});
