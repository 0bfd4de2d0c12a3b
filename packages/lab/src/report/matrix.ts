/** The coupling matrix as it was measured, beside the theory. */

import { type Model, models } from "../experiments/experiment.ts";
import { names } from "../experiments/referential-coupling.ts";
import { waits } from "../experiments/temporal-coupling.ts";
import type { CellResult, ExperimentResult } from "../run/results.ts";

/** A. Tanenbaum, M. van Steen, "Distributed Systems", on the coupling of processes: direct, mailbox, event-based, shared data space. */
export const source =
  "M. van Steen, A. S. Tanenbaum, Distributed Systems, 4th edition, section 2.1 (publish-subscribe architectures)";

export interface Coupling {
  readonly model: Model;
  readonly temporal: Judged;
  readonly referential: Judged;
}

export interface Judged {
  /** Whether the model is coupled, by the book. */
  readonly theory: boolean;
  /** As found, by driver; left out where nothing was measured. */
  readonly found: readonly { readonly driver: string; readonly coupled: boolean; readonly seen: string }[];
}

function of(results: readonly ExperimentResult[], name: string, model: Model, accept: (cell: CellResult) => boolean) {
  const result = results.find((each) => each.name === name);
  return (result?.cells ?? []).filter((each) => each.cell.model === model && each.values.length > 0 && accept(each));
}

function median(cell: CellResult, measure: string): number {
  return cell.summaries[measure]?.median ?? 0;
}

/** Coupled in time: of what was sent to somebody away, something was refused or lost. Coupled in reference: the sender had to change a name. */
export function matrixOf(results: readonly ExperimentResult[]): readonly Coupling[] {
  return models.map((model) => ({
    model,
    temporal: {
      theory: !waits[model],
      found: of(results, "temporal-coupling", model, ({ cell }) => cell.awayMs !== 0).map((cell) => {
        const [sent, arrived] = [median(cell, "sent"), median(cell, "arrived")];
        const seen = `${arrived} of ${sent} came to a receiver that had been away`;
        return { driver: cell.cell.driver, coupled: arrived < sent, seen };
      }),
    },
    referential: {
      theory: names[model],
      found: of(results, "referential-coupling", model, ({ cell }) => cell.change === "another name").map((cell) => {
        const changed = median(cell, "changed") > 0;
        const seen = changed ? "nothing came until the sender named the newcomer" : "the sender went on as before";
        return { driver: cell.cell.driver, coupled: changed, seen };
      }),
    },
  }));
}

/** "coupled", "decoupled", or both with the drivers where they differ. */
export function foundText({ found }: Judged): string {
  if (found.length === 0) return "not measured";
  const coupled = found.filter((each) => each.coupled).map(({ driver }) => driver);
  if (coupled.length === 0) return "decoupled";
  return coupled.length === found.length ? "coupled" : `coupled on ${coupled.join(", ")}, decoupled elsewhere`;
}

export function theoryText({ theory }: Judged): string {
  return theory ? "coupled" : "decoupled";
}

export function agrees({ theory, found }: Judged): boolean {
  return found.every(({ coupled }) => coupled === theory);
}
