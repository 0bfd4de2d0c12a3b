import type { Operation } from "./operation.ts";
import type { SpaceLedger } from "./space-ledger.ts";
import type { TupleIndex } from "./tuple-index.ts";
import type { Presence, TupleStory } from "./tuple-story.ts";
import type { Findings } from "./violation.ts";

interface Resident {
  readonly story: TupleStory;
  /** It was put at the latest then. */
  readonly put: number;
  /** It was there for certain at least until then. */
  readonly to: number;
}

/** Those that match a template by when they were put, each with the one of those before it that stayed longest. */
class Queue {
  readonly #residents: readonly Resident[];
  readonly #longest: Resident[] = [];

  constructor(residents: Resident[], findings: Findings) {
    this.#residents = residents.sort((a, b) => a.put - b.put);
    findings.steps += residents.length * Math.max(1, Math.ceil(Math.log2(residents.length + 1)));
    let longest: Resident | undefined;
    for (const resident of this.#residents) {
      if (longest === undefined || resident.to > longest.to) longest = resident;
      this.#longest.push(longest);
    }
  }

  /** One that was put before a moment and was there until after another. */
  older(put: number, to: number, findings: Findings): TupleStory | undefined {
    let low = 0;
    let high = this.#residents.length;
    while (low < high) {
      findings.steps++;
      const middle = (low + high) >> 1;
      if (this.#residents[middle]!.put < put) low = middle + 1;
      else high = middle;
    }
    const longest = this.#longest[low - 1];
    return longest !== undefined && longest.to > to ? longest.story : undefined;
  }
}

/** Of tuples that are held now and then nothing is said: where they were in between is not known so well. */
function residentsOf(matches: readonly TupleStory[], presences: ReadonlyMap<TupleStory, Presence>): Resident[] {
  return matches.flatMap((story) => {
    const presence = presences.get(story);
    if (presence === undefined || presence.gaps.length > 0) return [];
    return [{ story, put: story.puts.find(({ failed }) => !failed)!.ended, to: presence.to }];
  });
}

const takes: ReadonlySet<string> = new Set(["space.in", "space.inp", "space.claim"]);

/** Where the oldest is picked: who took a younger one although an older one was there from before until after. */
export function checkPicks(
  on: string,
  ledger: SpaceLedger,
  presences: ReadonlyMap<TupleStory, Presence>,
  index: TupleIndex,
  findings: Findings,
): void {
  const queues = new Map<string, Queue>();
  const jumped = (operation: Operation, template: string, tuple: string): TupleStory | undefined => {
    const matches = index.matching(template);
    if (matches.length < 2) return undefined;
    let queue = queues.get(template);
    if (queue === undefined) {
      queue = new Queue(residentsOf(matches, presences), findings);
      queues.set(template, queue);
    }
    const [put, ...more] = ledger.story(tuple).puts.filter(({ failed }) => !failed);
    if (put === undefined || more.length > 0) return undefined;
    return queue.older(Math.min(put.began, operation.began), operation.ended, findings);
  };
  for (const { operation, template, tuple } of ledger.picks) {
    if (!takes.has(operation.op) || operation.args.transaction !== undefined) continue;
    const older = jumped(operation, template, tuple);
    if (older === undefined || older.text === tuple) continue;
    findings.violations.push({
      model: "space",
      rule: "out-of-turn",
      on,
      message: `${tuple} was picked though ${older.text}, which matches too, is older and was there`,
      operations: [older.puts[0]!.operation, operation],
    });
  }
}
