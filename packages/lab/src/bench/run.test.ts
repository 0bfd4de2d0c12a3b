import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { parseHTML } from "linkedom";
import { expect, it } from "vitest";
import type { Bar, Case, Sample } from "./case.ts";
import { reportPage } from "./report/page.ts";
import { groupTable } from "./report/terminal.ts";
import { hasMiss, type RunResult } from "./result.ts";
import { type Plan, run } from "./run.ts";

const scale = { warmUpMs: 0, measuredMs: 0, divisor: 1 };

interface Planned {
  readonly name: string;
  /** One a round. */
  readonly samples: readonly (Sample | Error)[];
  readonly bars?: readonly Bar[];
}

function planOf(variants: readonly Planned[], changes: Partial<Plan> = {}): { plan: Plan; order: string[] } {
  const order: string[] = [];
  const measured = variants.map(({ name, samples, bars }) => {
    const left = [...samples];
    const measure = async (): Promise<Sample> => {
      order.push(name);
      const sample = left.shift()!;
      if (sample instanceof Error) throw sample;
      return sample;
    };
    return { name, bars, measure };
  });
  const planned: Case = {
    name: "planned",
    question: "What <was> planned?",
    groups: () => [{ name: "a group", unit: "things/s", better: "more", variants: measured }],
  };
  const progress = { measuring: () => undefined, measured: () => undefined };
  const plan = { cases: [planned], rounds: 3, quick: false, scale, command: "npm run bench", progress, ...changes };
  return { plan, order };
}

const values = (...list: readonly number[]): readonly Sample[] => list.map((value) => ({ value }));

function variantsOf(result: RunResult) {
  return result.cases[0]!.groups[0]!.variants;
}

it("variants take turns, and each round begins with another one", async () => {
  const { plan, order } = planOf(["a", "b", "c"].map((name) => ({ name, samples: values(1, 1, 1) })));
  await run(plan);
  expect(order.join("")).toBe("abcbcacab");
});

it("a ratio is formed within its round: what slows a whole round changes none", async () => {
  const { plan } = planOf([
    { name: "baseline", samples: values(100, 10, 50) },
    { name: "twice", samples: values(200, 20, 100), bars: [{ of: "ratio", atLeast: 2 }] },
  ]);
  const [baseline, twice] = variantsOf(await run(plan));
  expect(baseline!.ratio).toBeUndefined();
  expect(twice!.ratio).toMatchObject({ median: 2, min: 2, max: 2 });
  expect(twice!.value).toMatchObject({ median: 100, min: 20, max: 200 });
  expect(twice!.verdicts).toMatchObject([{ passed: true, clear: true }]);
});

it("bars are judged by the median, and whether that is clear by the interval", async () => {
  const { plan } = planOf([
    { name: "misses", samples: values(1, 2, 3), bars: [{ of: "value", atLeast: 4 }] },
    { name: "close", samples: values(1, 5, 9), bars: [{ of: "value", atMost: 6 }] },
  ]);
  const result = await run(plan);
  const [misses, close] = variantsOf(result);
  expect(misses!.verdicts).toMatchObject([{ passed: false, clear: true }]);
  expect(close!.verdicts).toMatchObject([{ passed: true, clear: false }]);
  expect(hasMiss(result)).toBe(true);
});

it("what cannot be run is said once, its bars are not judged, and the others go on", async () => {
  const { plan, order } = planOf([
    { name: "base", samples: values(1, 1, 1) },
    { name: "gone", samples: [new Error("not in this release")], bars: [{ of: "value", atLeast: 4 }] },
  ]);
  const result = await run(plan);
  const [base, gone] = variantsOf(result);
  expect(order.filter((name) => name === "gone")).toHaveLength(1);
  expect(base!.rounds).toHaveLength(3);
  expect(gone).toMatchObject({ unavailable: "not in this release", verdicts: [], unjudged: [{ atLeast: 4 }] });
  expect(hasMiss(result)).toBe(true);
});

it("--quick judges nothing; a lost message is a miss all the same", async () => {
  const bars: readonly Bar[] = [{ of: "value", atLeast: 4 }];
  const good = await run(planOf([{ name: "a", samples: values(1, 1, 1), bars }], { quick: true }).plan);
  expect(variantsOf(good)[0]).toMatchObject({ verdicts: [], unjudged: bars });
  expect(hasMiss(good)).toBe(false);
  const lossy = await run(planOf([{ name: "a", samples: [{ value: 1, lost: 2 }, ...values(1, 1)] }]).plan);
  expect(variantsOf(lossy)[0]!.lost).toBe(2);
  expect(hasMiss(lossy)).toBe(true);
});

async function reported(): Promise<RunResult> {
  const histogram = build();
  histogram.recordValue(20_000);
  const latency = encodeIntoCompressedBase64(histogram);
  const { plan } = planOf([
    { name: "base & line", samples: values(100, 110, 120) },
    {
      name: "over the <hub>",
      samples: values(250, 260, 300).map((each) => ({
        ...each,
        latency,
        figures: { "p99 µs": 20 },
        cores: { hub: 0.5 },
      })),
      bars: [{ of: "ratio", atLeast: 2, aim: 4 }],
    },
    { name: "slow", samples: values(1, 1, 1), bars: [{ of: "value", atLeast: 50 }] },
    { name: "missing", samples: [new Error("no <such> driver")], bars: [{ of: "value", atLeast: 50 }] },
  ]);
  return run(plan);
}

it("the table tells medians, ratios, verdicts and what is not there", async () => {
  const text = groupTable((await reported()).cases[0]!.groups[0]!);
  for (const part of ["110", "2.5×", "pass", "≥ 2× (aim 4×)", "MISS", "p99 µs 20", "hub 0.50", "no <such> driver"]) {
    expect(text).toContain(part);
  }
});

it("the page holds everything itself: figures, plots as SVG, no address to load from, nothing unescaped", async () => {
  const html = reportPage(await reported());
  const { document } = parseHTML(html);
  expect(document.querySelectorAll("figure svg").length).toBe(4);
  expect(document.querySelector("table")!.textContent).toContain("over the <hub>");
  expect(document.querySelectorAll("script, link, img, iframe").length).toBe(0);
  expect(html).not.toMatch(/(?:src|href)="(?!#)|url\(|@import/);
  expect(html).not.toContain("<hub>");
  expect(html).not.toContain("<such>");
});
