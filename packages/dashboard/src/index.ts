export type {
  CreateOptions,
  Games,
  Leader,
  MatchSummary,
  MatchView,
  Player,
  Reply,
  Seat,
  Seated,
  Step,
  StepEvent,
} from "./games.ts";
export type { JobProgress, Jobs, PhaseProgress } from "./jobs.ts";
export { type Dashboard, type DashboardOptions, startDashboard } from "./server/dashboard.ts";
