import { checkAbsences, checkMissing } from "./absences.ts";
import { isHashed } from "./fingerprint.ts";
import type { Operation, Operations } from "./operation.ts";
import { checkPicks } from "./pick-order.ts";
import { SpaceLedger } from "./space-ledger.ts";
import { TupleIndex } from "./tuple-index.ts";
import type { Presence, TupleStory } from "./tuple-story.ts";
import type { Findings } from "./violation.ts";

/** What collect and copyCollect may have put into a space: tuples of another. */
function collectedInto(on: string, all: readonly Operation[]): readonly Operation[] {
  return all.filter(({ op, args, outcome }) => /collect$/i.test(op) && args.target === on && outcome !== "failed");
}

function tally(ledger: SpaceLedger, findings: Findings): void {
  for (const { puts, takes, reads, holds } of ledger.stories.values()) {
    findings.count("put", puts.filter(({ operation }) => operation.outcome === "done").length);
    findings.count("maybePut", puts.filter(({ operation }) => operation.outcome === "indefinite").length);
    findings.count("taken", takes.length);
    findings.count("read", reads.length);
    findings.count("claimed", holds.length);
    if (puts.length > 1) findings.count("repeated");
  }
  findings.count("foundNothing", ledger.absences.length);
  findings.count("maybeTook", ledger.unknownTakes.length);
}

function checkStories(on: string, ledger: SpaceLedger, isForeign: boolean, findings: Findings): void {
  for (const story of ledger.stories.values()) {
    findings.steps += 1 + story.puts.length + story.finds.length;
    for (const [rule, message, operations] of story.contradictions()) {
      // What was put out by an evaluation that nobody saw the end of, or came from another space, nobody has put.
      if (rule === "invented" && (isForeign || ledger.openEvaluations > 0)) continue;
      findings.violations.push({ model: "space", rule, on, message: `${story.text}: ${message}`, operations });
    }
  }
}

function checkMatches(on: string, ledger: SpaceLedger, index: TupleIndex, findings: Findings): void {
  for (const { operation, template, tuple } of ledger.picks) {
    findings.steps++;
    if (isHashed(template) || isHashed(tuple) || template === tuple || index.template(template).matches(tuple))
      continue;
    const message = `${tuple} does not match ${template}`;
    findings.violations.push({ model: "space", rule: "no-match", on, message, operations: [operation] });
  }
}

/** Looks at the operations on each tuple space. `all` are those of the whole history. */
export function checkSpace(
  on: string,
  operations: Operations,
  own: readonly Operation[],
  continuations: ReadonlyMap<string, readonly Operation[]>,
  findings: Findings,
): void {
  const ledger = new SpaceLedger(operations, continuations);
  for (const operation of own) ledger.add(operation);
  const isForeign = collectedInto(on, operations.all).length > 0;
  const index = new TupleIndex(ledger.stories, findings);
  for (const { template, from, heldTo, returns } of ledger.unknownTakes) {
    for (const story of index.matching(template)) {
      findings.steps++;
      if (!returns) story.mayBeTaken = Math.min(story.mayBeTaken, from);
      story.mayBeHeld.push({ from, to: heldTo });
    }
  }
  const presences = new Map<TupleStory, Presence>();
  for (const story of ledger.stories.values()) {
    story.destroyed = ledger.destroyed;
    const presence = isForeign ? undefined : story.presence();
    if (presence !== undefined) presences.set(story, presence);
  }
  tally(ledger, findings);
  checkStories(on, ledger, isForeign, findings);
  checkMatches(on, ledger, index, findings);
  checkAbsences(on, ledger.absences, presences, index, findings);
  checkMissing(on, ledger.absences, ledger.unknownTakes, ledger.stories.values(), index, findings);
  if (ledger.pick === "oldest") checkPicks(on, ledger, presences, index, findings);
}
