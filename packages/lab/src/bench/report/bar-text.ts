import type { Bar } from "../case.ts";
import type { Verdict } from "../result.ts";
import { figure } from "./number.ts";

/** `≥ 2× (aim 4×)`, `≤ 70.4`. */
export function barText({ of, atLeast, atMost, aim }: Bar): string {
  const times = of === "ratio" ? "×" : "";
  const bounds = [
    ...(atLeast === undefined ? [] : [`≥ ${figure(atLeast)}${times}`]),
    ...(atMost === undefined ? [] : [`≤ ${figure(atMost)}${times}`]),
  ];
  return bounds.join(", ") + (aim === undefined ? "" : ` (aim ${figure(aim)}${times})`);
}

/** What a verdict says behind its word: whether it is close, the bar, and how a rate might stand on the reference machine. */
export function verdictText({ bar, clear, atReferencePace }: Verdict): string {
  const scaled = atReferencePace === undefined ? "" : `; at reference pace about ${figure(atReferencePace)}`;
  return `${clear ? "" : "(close) "}${barText(bar)}${scaled}`;
}
