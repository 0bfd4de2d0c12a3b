export type { Bar, Case, Group, Sample, Scale, Variant } from "./bench/case.ts";
export { catalogue } from "./bench/cases/catalogue.ts";
export type { RunResult } from "./bench/result.ts";
export { type Plan, run } from "./bench/run.ts";
