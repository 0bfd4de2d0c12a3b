import type { BusError, CompiledTemplate } from "@quadrant/contract";
import type { Pick } from "./bucket.ts";
import { Resident } from "./resident.ts";
import type { TupleIndex } from "./tuple-index.ts";

/** Finds matches by the index and the space's way of picking; gives up after looking at too many that do not match. */
export class TupleSearch {
  readonly #index: TupleIndex;
  readonly #pick: Pick;
  readonly #random: () => number;
  readonly #maxScan: number;
  readonly #tooMany: () => BusError;

  constructor(index: TupleIndex, pick: Pick, random: () => number, maxScan: number, tooMany: () => BusError) {
    this.#index = index;
    this.#pick = pick;
    this.#random = random;
    this.#maxScan = maxScan;
    this.#tooMany = tooMany;
  }

  /** The match that is to be picked. */
  one(template: CompiledTemplate): Resident | undefined {
    if (template.kind === "partial") return this.#oneOfPartial(template);
    const found = this.#index.find(template);
    if (found instanceof Resident) return template.matches(found.text) ? found : undefined;
    return found?.search(this.#look(template));
  }

  /** Partial records are found in several forms. */
  #oneOfPartial(template: CompiledTemplate): Resident | undefined {
    const found = this.#index.search(template);
    const look = this.#look(template);
    if (found.length === 1) return found[0]!.search(look);
    if (this.#pick === "random") return this.#oneOf(this.all(template));
    let best: Resident | undefined;
    for (const candidates of found) {
      const match = candidates.search(look);
      if (match !== undefined && (best === undefined || this.#isBefore(match, best))) best = match;
    }
    return best;
  }

  /** At most `max` matches, in the order of picking. */
  many(template: CompiledTemplate, max: number): Resident[] {
    const buckets = this.#index.search(template);
    const matches = this.#look(template);
    const found = new Set<Resident>();
    for (const bucket of buckets) {
      let left = max;
      bucket.search((resident) => {
        if (found.has(resident) || !matches(resident)) return false;
        found.add(resident);
        return --left === 0;
      });
    }
    const picked = [...found];
    if (buckets.length > 1) {
      if (this.#pick === "random") for (let i = picked.length; i > 0; ) this.#draw(picked, i--);
      else picked.sort((a, b) => (this.#isBefore(a, b) ? -1 : 1));
    }
    return picked.slice(0, max);
  }

  /** Every match, the oldest first. */
  all(template: CompiledTemplate): Resident[] {
    const found: Resident[] = [];
    const buckets = this.#index.search(template);
    const matches = this.#look(template);
    for (const bucket of buckets) {
      bucket.each((resident) => {
        if (matches(resident)) found.push(resident);
      });
    }
    if (buckets.length > 1 || this.#pick === "random") found.sort((a, b) => a.seq - b.seq);
    return found;
  }

  #look(template: CompiledTemplate): (resident: Resident) => boolean {
    let misses = 0;
    return (resident) => {
      if (template.matches(resident.text)) return true;
      if (++misses > this.#maxScan) throw this.#tooMany();
      return false;
    };
  }

  #isBefore(a: Resident, b: Resident): boolean {
    return this.#pick === "newest" ? a.seq > b.seq : a.seq < b.seq;
  }

  #oneOf(residents: readonly Resident[]): Resident | undefined {
    return residents[Math.floor(this.#random() * residents.length)];
  }

  /** Moves a random one of the first `left` to their end. */
  #draw(residents: Resident[], left: number): void {
    const at = Math.floor(this.#random() * left);
    const drawn = residents[at]!;
    residents[at] = residents[left - 1]!;
    residents[left - 1] = drawn;
  }
}
