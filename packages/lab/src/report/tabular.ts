/** A run as tables for other programs: comma-separated values, and JSON. */
import type { ExperimentResult } from "../run/results.ts";
import type { RecordedRun } from "../run/run-file.ts";
import { matrixOf } from "./matrix.ts";

function field(value: unknown): string {
  const text = value === undefined || value === null ? "" : String(value);
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line a repetition and measure (RFC 4180): what every statistics program reads. */
export function csvOf({ repetitions }: RecordedRun): string {
  const own = new Set(repetitions.flatMap(({ cell }) => Object.keys(cell)));
  // The same columns whatever came first.
  const factors = [...new Set(["model", "driver", ...[...own].sort()])].filter((factor) => own.has(factor));
  const lines = [["experiment", ...factors, "repetition", "again", "measure", "value", "failure"]];
  for (const { experiment, cell, repetition, again, values, failure } of repetitions) {
    const place = [
      experiment,
      ...factors.map((factor) => String(cell[factor] ?? "")),
      String(repetition),
      again ? "1" : "",
    ];
    if (values === undefined) lines.push([...place, "", "", failure ?? ""]);
    for (const [measure, value] of Object.entries(values ?? {}))
      lines.push([...place, measure, String(value ?? ""), ""]);
  }
  return lines.map((line) => `${line.map(field).join(",")}\r\n`).join("");
}

export function jsonOf(run: RecordedRun, results: readonly ExperimentResult[]): string {
  return `${JSON.stringify({ head: run.head, matrix: matrixOf(results), results }, null, 1)}\n`;
}
