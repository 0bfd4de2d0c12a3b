/** Plots as SVG text. Each is drawn twice, for wide and for narrow screens, since text in a scaled picture is unreadable. */
import * as Plot from "@observablehq/plot";
import type { Histogram } from "hdr-histogram-js";
import { parseHTML } from "linkedom";
import type { Bar } from "../case.ts";
import { merged } from "../latency.ts";
import type { GroupResult, VariantResult } from "../result.ts";
import { barText } from "./bar-text.ts";
import { escaped } from "./escape.ts";
import { figure } from "./number.ts";

const wide = 1_040;
const narrow = 310;
const rowHeight = 46;
/** Beyond such a ratio of the greatest to the least, the axis is logarithmic. */
const logarithmicFrom = 30;

interface Point {
  readonly name: string;
  readonly value: number;
  readonly title: string;
}

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = Plot.plot({ ...options, document, style: { background: "none", color: "inherit", fontSize: "12px" } });
  plot.setAttribute("role", "img");
  return plot.outerHTML;
}

function atBothWidths(drawAt: (width: number) => string): string {
  return `<div class="wide">${drawAt(wide)}</div><div class="narrow">${drawAt(narrow)}</div>`;
}

/** Where the bar stands on the axis of values: a ratio's is that much of the baseline's median. */
function placeOf(bar: Bar, baseline: VariantResult | undefined): number | undefined {
  const bound = bar.atLeast ?? bar.atMost;
  if (bound === undefined) return undefined;
  return bar.of === "value" ? bound : baseline?.value === undefined ? undefined : bound * baseline.value.median;
}

function barsOf(group: GroupResult): readonly Point[] {
  return group.variants.flatMap(({ name, verdicts }) =>
    verdicts.flatMap(({ bar }) => {
      const value = placeOf(bar, group.variants[0]);
      return value === undefined ? [] : [{ name, value, title: `bar: ${barText(bar)}` }];
    }),
  );
}

/** Every round as a dot, the median as a tick, the bar as a dashed one; one row a variant. */
export function valuePlot(group: GroupResult): string {
  const shown = group.variants.filter(({ value }) => value !== undefined);
  if (shown.length === 0) return "";
  const rounds: Point[] = shown.flatMap(({ name, rounds: samples }) =>
    samples.map(({ value }, round) => ({ name, value, title: `round ${round + 1}: ${figure(value)} ${group.unit}` })),
  );
  const medians: Point[] = shown.map(({ name, value }) => ({
    name,
    value: value!.median,
    title: `median ${figure(value!.median)} ${group.unit}`,
  }));
  const bars = barsOf(group);
  const values = [...rounds, ...bars].map(({ value }) => value);
  const logarithmic = Math.max(...values) > logarithmicFrom * Math.min(...values);
  const names = shown.map(({ name }) => name);
  const channels = { x: "value", y: "name", title: "title" } as const;
  return atBothWidths((width) =>
    draw({
      width,
      height: rowHeight * names.length + 50,
      marginLeft: 12,
      marginRight: 24,
      marginTop: 8,
      marginBottom: 38,
      x: {
        type: logarithmic ? "log" : "linear",
        ...(logarithmic ? {} : { zero: true }),
        label: `${group.unit}${logarithmic ? " (logarithmic)" : ""} →`,
        labelAnchor: "right",
        ticks: width === wide ? 8 : 3,
        tickFormat: "~s",
        grid: true,
        nice: true,
      },
      y: { domain: names, axis: null, padding: 0.1 },
      marks: [
        Plot.text(
          names.map((name) => ({ name })),
          {
            y: "name",
            text: "name",
            frameAnchor: "left",
            textAnchor: "start",
            dy: -13,
            lineWidth: width / 14,
            fontSize: 11.5,
          },
        ),
        Plot.tickX(bars, { ...channels, stroke: "var(--bar)", strokeWidth: 2, strokeDasharray: "3 2", insetTop: 18 }),
        Plot.tickX(medians, { ...channels, stroke: "var(--median)", strokeWidth: 3, insetTop: 20, insetBottom: 2 }),
        Plot.dot(rounds, { ...channels, dy: 8, r: 3.5, fill: "var(--round)", fillOpacity: 0.7 }),
      ],
    }),
  );
}

const percentiles: readonly number[] = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99];

interface Quantile {
  readonly name: string;
  readonly percentile: string;
  readonly us: number;
}

function curveOf(name: string, histogram: Histogram): readonly Quantile[] {
  return percentiles.map((percentile) => ({
    name,
    percentile: String(percentile),
    us: histogram.getValueAtPercentile(percentile) / 1_000,
  }));
}

/** Latencies of all rounds by percentile; "" where none were taken. */
export function latencyPlot({ variants }: GroupResult): string {
  const curves = variants.flatMap(({ name, rounds }) => {
    const histogram = merged(rounds.flatMap(({ latency }) => (latency === undefined ? [] : [latency])));
    return histogram === undefined ? [] : curveOf(name, histogram);
  });
  if (curves.length === 0) return "";
  const names = [...new Set(curves.map(({ name }) => name))];
  const legend = names
    .map((name, at) => `<li><span class="key" style="background:var(--series-${at % 4})"></span>${escaped(name)}</li>`)
    .join("");
  const plot = atBothWidths((width) =>
    draw({
      width,
      height: 240,
      marginLeft: 48,
      marginBottom: 38,
      x: {
        type: "point",
        label: "percentile →",
        domain: percentiles.map(String),
        ...(width === wide ? {} : { ticks: ["0", "50", "95", "99.9"] }),
      },
      y: { type: "log", label: "↑ µs", grid: true, ticks: 5, tickFormat: "~s" },
      color: { domain: names, range: names.map((_, at) => `var(--series-${at % 4})`) },
      marks: [
        Plot.line(curves, { x: "percentile", y: "us", stroke: "name", strokeWidth: 2 }),
        Plot.dot(curves, {
          x: "percentile",
          y: "us",
          fill: "name",
          r: 2.5,
          title: ({ name, percentile, us }: Quantile) => `${name}: ${percentile} % within ${figure(us)} µs`,
        }),
      ],
    }),
  );
  return `<figcaption>Latency of one operation, all rounds</figcaption><ul class="legend">${legend}</ul>${plot}`;
}
