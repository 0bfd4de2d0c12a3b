import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocate, fairShares } from "./fair-share.ts";

const demands = fc
  .dictionary(fc.stringMatching(/^[a-f]$/), fc.nat(9))
  .map((record) => new Map(Object.entries(record)) as ReadonlyMap<string, number>);

describe("fair shares", () => {
  it("of two jobs that want everything are halves; who wants less leaves the rest to the other", () => {
    expect([
      ...fairShares(
        new Map([
          ["a", 8],
          ["b", 8],
        ]),
        6,
      ),
    ]).toEqual([
      ["a", 3],
      ["b", 3],
    ]);
    expect(
      fairShares(
        new Map([
          ["a", 8],
          ["b", 1],
        ]),
        6,
      ),
    ).toEqual(
      new Map([
        ["a", 5],
        ["b", 1],
      ]),
    );
    expect(
      fairShares(
        new Map([
          ["a", 2],
          ["b", 2],
        ]),
        1,
      ),
    ).toEqual(
      new Map([
        ["a", 0],
        ["b", 1],
      ]),
    );
  });

  it("give nobody more than it wants, leave nothing that is wanted, and differ by one at most among the unsatisfied", () => {
    fc.assert(
      fc.property(demands, fc.nat(20), (wanted, slots) => {
        const shares = fairShares(wanted, slots);
        const all = [...wanted.values()].reduce((sum, each) => sum + each, 0);
        expect([...shares.values()].reduce((sum, each) => sum + each, 0)).toBe(Math.min(all, slots));
        const wanting = [...wanted].filter(([job, each]) => shares.get(job)! < each).map(([job]) => shares.get(job)!);
        for (const [job, each] of wanted) expect(shares.get(job)!).toBeLessThanOrEqual(each);
        const greatest = Math.max(0, ...shares.values());
        for (const share of wanting) expect(greatest - share).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("an allocation", () => {
  const nodes = fc.dictionary(
    fc.stringMatching(/^n[0-3]$/),
    fc.array(fc.option(fc.stringMatching(/^[a-f]$/)), { maxLength: 4 }),
  );

  it("grants the shares, and moves a slot only where a share demands it", () => {
    fc.assert(
      fc.property(nodes, demands, (given, wanted) => {
        const current = new Map(Object.entries(given));
        const next = allocate(current, wanted);
        const granted = (map: ReadonlyMap<string, readonly (string | null)[]>, job: string): number =>
          [...map.values()].flat().filter((each) => each === job).length;
        const shares = fairShares(wanted, [...current.values()].flat().length);
        for (const [job, share] of shares) {
          expect(granted(next, job)).toBe(share);
          const kept = [...next].flatMap(([node, jobs]) =>
            jobs.filter((each, at) => each === job && current.get(node)![at] === job),
          );
          expect(kept.length).toBe(Math.min(share, granted(current, job)));
        }
        for (const job of [...next.values()].flat()) if (job !== null) expect(shares.has(job)).toBe(true);
      }),
    );
  });

  it("spreads a job over the nodes", () => {
    const next = allocate(
      new Map([
        ["x", [null, null]],
        ["y", [null, null]],
      ]),
      new Map([["a", 2]]),
    );
    expect([...next.values()]).toEqual([
      ["a", null],
      ["a", null],
    ]);
  });
});
