export type { Bar, Case, Group, Sample, Scale, Variant } from "./bench/case.ts";
export { catalogue } from "./bench/cases/catalogue.ts";
export type { RunResult } from "./bench/result.ts";
export { type Plan, run } from "./bench/run.ts";
export { experiments } from "./experiments/catalogue.ts";
export {
  type BrokerNeeds,
  type Cell,
  type DriverName,
  defineExperiment,
  driverNames,
  type Experiment,
  type Factors,
  type Finding,
  type Level,
  type Measure,
  type Measures,
  type Model,
  models,
  type Outages,
  type Part,
  type Site,
  type Values,
  type Verdict,
} from "./experiments/experiment.ts";
export { writePage, writeReport } from "./report/write.ts";
export { type Comparison, compareRuns, comparisonText, type Difference } from "./run/comparison.ts";
export { conduct, type Progress, type RunTerms } from "./run/conduct.ts";
export type { CellResult, ExperimentResult, Noise } from "./run/results.ts";
export type { RecordedRun, Repetition, RunHead } from "./run/run-file.ts";
export { type Answers, defineRole, nowMs, type Role } from "./site/role.ts";
