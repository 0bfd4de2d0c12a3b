import type { Absence, UnknownTake } from "./space-ledger.ts";
import type { TupleIndex } from "./tuple-index.ts";
import type { Presence, TupleStory } from "./tuple-story.ts";
import type { Findings } from "./violation.ts";

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly story: TupleStory;
}

/** A presence in pieces, between the times at which somebody may have held the tuple. */
function stretchesOf(story: TupleStory, { from, to, gaps }: Presence): Stretch[] {
  const stretches: Stretch[] = [];
  let at = from;
  for (const gap of gaps.toSorted((a, b) => a.from - b.from)) {
    if (gap.from > at) stretches.push({ from: at, to: Math.min(gap.from, to), story });
    at = Math.max(at, gap.to);
    if (at >= to) break;
  }
  if (at < to) stretches.push({ from: at, to, story });
  return stretches;
}

/** The stretches of the tuples that a template matches, united. Where two only touch there is a moment between them. */
class Cover {
  /** Apart from each other: inside each, at every moment one of its tuples is there. */
  readonly #union: { readonly from: number; to: number; readonly by: Stretch[] }[] = [];

  constructor(stretches: Stretch[], findings: Findings) {
    findings.steps += stretches.length * Math.max(1, Math.ceil(Math.log2(stretches.length + 1)));
    for (const stretch of stretches.sort((a, b) => a.from - b.from)) {
      const last = this.#union.at(-1);
      if (last === undefined || stretch.from >= last.to) {
        this.#union.push({ from: stretch.from, to: stretch.to, by: [stretch] });
        continue;
      }
      last.to = Math.max(last.to, stretch.to);
      last.by.push(stretch);
    }
  }

  /** Those that together leave no moment of it free; undefined where one is free. */
  covering(from: number, to: number, findings: Findings): readonly Stretch[] | undefined {
    let low = 0;
    let high = this.#union.length;
    while (low < high) {
      findings.steps++;
      const middle = (low + high) >> 1;
      if (this.#union[middle]!.from < from) low = middle + 1;
      else high = middle;
    }
    const run = this.#union[low - 1];
    if (run === undefined || run.to <= to) return undefined;
    return run.by.filter((stretch) => stretch.from < to && stretch.to > from);
  }
}

/**
 * Who found nothing although there was a match at every moment of the asking. With the order of each tuple's own
 * operations (tuple-story.ts) this decides whether a history of distinct tuples is linearizable: no two tuples constrain
 * each other but by an operation that found none of several, and it may have happened at whatever moment all of them were
 * away, if there is one. So each tuple is looked at alone, as is known of sets with distinct values (Gibbons and Korach,
 * Testing Shared Memories, 1997; Lee and Mathur, Efficient Decrease-and-Conquer Linearizability Monitoring,
 * arXiv:2410.04581), and the presences that one template matches are united once: O(n log n) for as many distinct
 * templates as tuples, if each matches few.
 */
export function checkAbsences(
  on: string,
  absences: readonly Absence[],
  presences: ReadonlyMap<TupleStory, Presence>,
  index: TupleIndex,
  findings: Findings,
): void {
  const covers = new Map<string, Cover>();
  for (const absence of absences) {
    const { template, from, to, except, operation } = absence;
    const matches = index.matching(template);
    if (matches.length === 0) continue;
    let cover = except.size > 0 ? undefined : covers.get(template);
    if (cover === undefined) {
      const stretches = matches.flatMap((story) => {
        const presence = presences.get(story);
        return presence === undefined || except.has(story.text) ? [] : stretchesOf(story, presence);
      });
      findings.steps += matches.length;
      cover = new Cover(stretches, findings);
      if (except.size === 0) covers.set(template, cover);
    }
    const covering = cover.covering(from, to, findings);
    if (covering === undefined) continue;
    const [{ story }] = covering as [Stretch];
    const put = story.puts.find(({ failed }) => !failed)!;
    findings.violations.push({
      model: "space",
      rule: operation.outcome === "done" ? "missed" : "not-woken",
      on,
      message: `${operation.op} found no match of ${template} while ${story.text} was there all the time`,
      operations: [put.operation, operation],
    });
  }
}

/** Who may have what is missing: at each step one more tuple is given to somebody, others to others if need be. */
class Assignment {
  readonly #takers: readonly UnknownTake[];
  readonly #given = new Map<UnknownTake, Missing[]>();
  readonly #index: TupleIndex;

  constructor(takers: readonly UnknownTake[], index: TupleIndex) {
    this.#takers = takers;
    this.#index = index;
  }

  #mayHave({ template, from, heldTo, returns }: UnknownTake, { story, absence }: Missing): boolean {
    if (from > absence.to || (returns && heldTo < absence.from)) return false;
    return this.#index.template(template).matches(story.text);
  }

  give(missing: Missing, tried: Set<UnknownTake> = new Set()): boolean {
    for (const taker of this.#takers) {
      if (tried.has(taker) || !this.#mayHave(taker, missing)) continue;
      tried.add(taker);
      const given = this.#given.get(taker) ?? [];
      this.#given.set(taker, given);
      if (given.length < taker.most) {
        given.push(missing);
        return true;
      }
      for (const [at, other] of given.entries()) {
        if (!this.give(other, tried)) continue;
        given[at] = missing;
        return true;
      }
    }
    return false;
  }
}

interface Missing {
  readonly story: TupleStory;
  readonly absence: Absence;
}

/** For each tuple that nobody is known to have taken, the last of those who did not find it. */
function missingOf(
  absences: readonly Absence[],
  stories: Iterable<TupleStory>,
  index: TupleIndex,
  findings: Findings,
): readonly Missing[] {
  const latest = new Map<TupleStory, Absence>();
  for (const [template, alike] of Map.groupBy(absences, (absence) => absence.template)) {
    alike.sort((a, b) => b.from - a.from);
    for (const story of index.matching(template)) {
      findings.steps++;
      const absence = alike.find(({ except }) => !except.has(story.text));
      const known = latest.get(story);
      if (absence !== undefined && (known === undefined || absence.from > known.from)) latest.set(story, absence);
    }
  }
  return [...stories].flatMap((story) => {
    const absence = latest.get(story);
    if (absence === undefined || story.mayBeHeld.length === 0 || story.finalTakes.length > 0) return [];
    const presence = story.presence(true);
    const last = presence === undefined ? undefined : stretchesOf(story, presence).at(-1);
    const isThere = last !== undefined && last.to === Number.POSITIVE_INFINITY && last.from < absence.from;
    return isThere ? [{ story, absence }] : [];
  });
}

/** Tuples that were put, were not there when somebody looked, and that nobody can have. */
export function checkMissing(
  on: string,
  absences: readonly Absence[],
  takers: readonly UnknownTake[],
  stories: Iterable<TupleStory>,
  index: TupleIndex,
  findings: Findings,
): void {
  const assignment = new Assignment(takers, index);
  for (const missing of missingOf(absences, stories, index, findings)) {
    if (assignment.give(missing)) {
      findings.count("takenUnknown");
      continue;
    }
    const { story, absence } = missing;
    findings.violations.push({
      model: "space",
      rule: "lost",
      on,
      message: `${story.text} was put, is not there any more, and nobody can have taken it`,
      operations: [story.puts.find(({ failed }) => !failed)!.operation, absence.operation],
    });
  }
}
