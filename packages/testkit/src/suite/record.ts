/** What a test of the suite notes down in its `meta`, so that a report of the tests says what a matrix of clauses needs. */
import type { Clause } from "./clause.ts";

/** A clause that was run on a driver. */
export interface ClauseRecord {
  readonly driver: string;
  /** Of the broker's server; undefined where there is none, or where it is ours. */
  readonly version: string | undefined;
  readonly clause: string;
  /** Why the driver does not keep it: then the test passes because the clause fails. */
  readonly exemption: string | undefined;
}

/** Clauses that were not run on a driver, and why. */
export interface AbsenceRecord {
  readonly driver: string;
  readonly version: string | undefined;
  readonly needs: readonly Clause["needs"][];
  readonly reason: string;
}

declare module "vitest" {
  interface TaskMeta {
    quadrantClause?: ClauseRecord;
    quadrantAbsence?: AbsenceRecord;
  }
}
