import type { BusError, CompiledTemplate } from "@quadrant/contract";
import { assign } from "./assignment.ts";
import type { Resident } from "./resident.ts";
import type { TupleIndex } from "./tuple-index.ts";
import type { TupleSearch } from "./tuple-search.ts";
import { SpaceWaiter } from "./waiting-line.ts";

/** What becomes of one that waits for several tuples. */
export interface JointOutcome {
  /** One for each template: the tuple that just came is among them. */
  found(residents: readonly Resident[]): void;
  /** In a later turn. */
  failed(error: BusError): void;
}

/** Takes of several tuples at once: each template gets one of its own, or nothing is taken. */
export class JointTake {
  readonly #index: TupleIndex;
  readonly #search: TupleSearch;

  constructor(index: TupleIndex, search: TupleSearch) {
    this.#index = index;
    this.#search = search;
  }

  /** `coming`: a tuple that is not in the space yet. */
  find(templates: readonly CompiledTemplate[], coming?: Resident): Resident[] | undefined {
    const candidates: Resident[][] = [];
    for (const template of templates) {
      const found = this.#search.many(template, templates.length);
      if (coming !== undefined && template.matches(coming.text)) found.push(coming);
      if (found.length === 0) return undefined;
      candidates.push(found);
    }
    return assign(candidates);
  }

  /**
   * Stands in the line of each template, and holds nothing meanwhile: a tuple that comes by makes it look whether it has
   * all now, else it passes the tuple on to who stands behind. Returns what makes it leave.
   */
  wait(templates: readonly CompiledTemplate[], seq: number, outcome: JointOutcome): () => void {
    let residents: Resident[] | undefined;
    const accepts = (coming: Resident): boolean => {
      try {
        residents = this.find(templates, coming);
      } catch (error) {
        residents = undefined;
        // Not in this turn: who puts the tuple out is not to blame, and the lines are being walked along.
        queueMicrotask(() => outcome.failed(error as BusError));
      }
      return residents !== undefined;
    };
    const deliver = (): void => outcome.found(residents!);
    const leaves = templates.map((template) =>
      this.#index.wait(new SpaceWaiter(seq, template, true, deliver, accepts)),
    );
    return () => {
      for (const leave of leaves) leave();
    };
  }
}
