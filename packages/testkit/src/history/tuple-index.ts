import { type CompiledTemplate, compileTemplate, splitText } from "@quadrant/contract";
import { isHashed } from "./fingerprint.ts";
import { addTo } from "./grouping.ts";
import type { TupleStory } from "./tuple-story.ts";
import type { Findings } from "./violation.ts";

function keyOf(form: string, field: number | string, part: string): string {
  return `${form} ${field} ${part}`;
}

/** Finds the tuples that a template matches without looking at all of them, where the template has a value somewhere. */
export class TupleIndex {
  readonly #stories: ReadonlyMap<string, TupleStory>;
  readonly #buckets = new Map<string, TupleStory[]>();
  readonly #matches = new Map<string, readonly TupleStory[]>();
  readonly #templates = new Map<string, CompiledTemplate>();
  readonly #findings: Findings;

  constructor(stories: ReadonlyMap<string, TupleStory>, findings: Findings) {
    this.#stories = stories;
    this.#findings = findings;
    for (const story of stories.values()) if (!isHashed(story.text)) this.#add(story);
  }

  #add(story: TupleStory): void {
    const { keys, parts } = splitText(story.text);
    const form = keys === undefined ? `a${parts.length}` : "o";
    this.#file(form, story);
    for (const [at, part] of parts.entries()) this.#file(keyOf(form, keys?.[at] ?? at, part), story);
  }

  #file(key: string, story: TupleStory): void {
    this.#findings.steps++;
    addTo(this.#buckets, key, story);
  }

  template(text: string): CompiledTemplate {
    let template = this.#templates.get(text);
    if (template === undefined) {
      template = compileTemplate(text);
      this.#templates.set(text, template);
    }
    return template;
  }

  /** Those that match, looked up once for each template. */
  matching(text: string): readonly TupleStory[] {
    let matches = this.#matches.get(text);
    if (matches === undefined) {
      matches = isHashed(text) ? [] : this.#lookUp(text);
      this.#matches.set(text, matches);
    }
    return matches;
  }

  #lookUp(text: string): readonly TupleStory[] {
    // A template without holes is its tuple.
    if (text.startsWith("a") || text.startsWith("o")) {
      const story = this.#stories.get(text);
      return story === undefined ? [] : [story];
    }
    const template = this.template(text);
    const candidates = this.#candidates(template);
    this.#findings.steps += candidates.length;
    return candidates.filter((story) => template.matches(story.text));
  }

  #candidates(template: CompiledTemplate): readonly TupleStory[] {
    const { keys, parts } = template;
    const form = keys === undefined ? `a${parts.length}` : "o";
    let smallest = this.#buckets.get(form) ?? [];
    for (const at of parts.keys()) {
      const actual = template.actual(at);
      if (actual === undefined) continue;
      const bucket = this.#buckets.get(keyOf(form, keys?.[at] ?? at, actual)) ?? [];
      if (bucket.length < smallest.length) smallest = bucket;
    }
    return smallest;
  }
}
