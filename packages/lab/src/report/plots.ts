/** Plots as SVG text: one a measure, a row a driver, the models one below the other. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { figure } from "../bench/report/number.ts";
import type { CellResult, ExperimentResult } from "../run/results.ts";
import { cellText, factorsOf } from "./markdown.ts";

const rowHeight = 20;
/** Beyond such a ratio of the greatest to the least, the axis is logarithmic. */
const logarithmicFrom = 30;

interface Point {
  readonly model: string;
  readonly driver: string;
  readonly level: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly title: string;
  /** For the page's filter. */
  readonly mark: string;
}

/** What tells the cells of one model and driver apart. */
function levelOf({ cell }: CellResult, factors: readonly string[]): string {
  return cellText(
    cell,
    factors.filter((factor) => factor !== "model" && factor !== "driver"),
  );
}

function pointsOf(result: ExperimentResult, measure: string): readonly Point[] {
  const factors = factorsOf(result);
  const { unit } = result.measures[measure]!;
  return result.cells.flatMap((cell) => {
    const summary = cell.summaries[measure];
    if (summary === undefined) return [];
    const { median: value, interval, min, max } = summary;
    const title = `${cellText(cell.cell, factors)}: ${figure(value)} ${unit} [${figure(interval[0])}–${figure(interval[1])}], ${cell.values.length} repetitions from ${figure(min)} to ${figure(max)}`;
    const { driver, model } = cell.cell;
    const place = { model: String(model ?? ""), driver, level: levelOf(cell, factors) };
    return [{ ...place, value, low: interval[0], high: interval[1], title, mark: `${model} ${driver}` }];
  });
}

/** Whether the measure has anything to show: one that is the same everywhere stands in the table alone. */
export function isPlotted(result: ExperimentResult, measure: string): boolean {
  return new Set(pointsOf(result, measure).map(({ value }) => value)).size > 2;
}

/** 0.01, 100, 10k, 2M: no letter for parts of one, which would be read as units. */
function tick(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(Number(value.toPrecision(6)));
}

type Channels = Pick<Plot.DotOptions, "fy" | "stroke" | "ariaLabel" | "title">;
const channels: Channels = { fy: "model", stroke: "level", ariaLabel: "mark", title: "title" };

/** Intervals, and medians on them; on a narrow screen the models' names stand inside. */
function marksOf(points: readonly Point[], names: readonly string[], isWide: boolean): Plot.Markish[] {
  const inside = Plot.text(names, {
    fy: (model: string) => model,
    text: (model: string) => model,
    frameAnchor: "top-right",
    dy: -10,
    fontSize: 10,
    fontWeight: 600,
  });
  const ends = { x1: "low", x2: "high", y1: "driver", y2: "driver" } as const;
  return [
    Plot.frame({ stroke: "var(--line)" }),
    ...(isWide ? [] : [inside]),
    Plot.link(points, { ...channels, ...ends, strokeWidth: 2, strokeOpacity: 0.5 }),
    Plot.dot(points, { ...channels, x: "value", y: "driver", r: 4, fill: "var(--ground)", strokeWidth: 2 }),
  ];
}

/** Logarithmic where the values are far apart. */
function scaleOf(values: readonly number[], label: string, isWide: boolean): Plot.ScaleOptions {
  const least = Math.min(...values.filter((value) => value > 0));
  const logarithmic = values.every((value) => value > 0) && Math.max(...values) > logarithmicFrom * least;
  return {
    type: logarithmic ? "log" : "linear",
    ...(logarithmic ? {} : { zero: true }),
    label: `${label}${logarithmic ? " (logarithmic)" : ""} →`,
    ticks: isWide ? 8 : 3,
    tickFormat: tick,
    grid: true,
    nice: true,
  };
}

/** Colours are the page's; in a file of its own they are those of its own style. */
export function measurePlot(result: ExperimentResult, measure: string, width: number): string {
  const points = pointsOf(result, measure);
  const { label, unit } = result.measures[measure]!;
  const isWide = width > 500;
  const models = [...new Set(points.map(({ model }) => model))];
  const drivers = [...new Set(points.map(({ driver }) => driver))];
  const levels = [...new Set(points.map(({ level }) => level))];
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const plot = Plot.plot({
    document,
    width,
    height: models.length * (drivers.length * rowHeight + (isWide ? 16 : 26)) + 56,
    marginLeft: 62,
    marginRight: isWide ? 130 : 12,
    marginTop: 18,
    marginBottom: 36,
    style: { background: "none", color: "inherit", fontSize: "12px", overflow: "visible" },
    x: scaleOf(
      points.map(({ value }) => value),
      `${label}, ${unit}`,
      isWide,
    ),
    y: { domain: drivers, label: null, padding: 0.2 },
    fy: { domain: models, label: null, padding: isWide ? 0.1 : 0.25, axis: isWide ? "right" : null },
    color: { domain: levels, range: levels.map((_, at) => `var(--series-${at % 6})`) },
    marks: marksOf(points, models, isWide),
  });
  // The library has no other channel for what the page filters by; as a label it would be read out, mark by mark.
  for (const mark of plot.querySelectorAll("g > [aria-label]:not(g)")) {
    mark.setAttribute("data-mark", mark.getAttribute("aria-label") ?? "");
    mark.removeAttribute("aria-label");
  }
  for (const group of plot.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${result.name}: ${label} in ${unit}`);
  return plot.outerHTML;
}

/** What the colours stand for; none where there is one level alone. */
export function levelsOf(result: ExperimentResult): readonly string[] {
  const factors = factorsOf(result);
  const levels = [...new Set(result.cells.map((cell) => levelOf(cell, factors)))];
  return levels.length > 1 ? levels : [];
}
