import { type CompiledTemplate, maxMaskFields, TextFields } from "@quadrant/contract";
import { bucketMaker, type Candidates, type MakeBucket, type Pick } from "./bucket.ts";
import { Form } from "./form.ts";
import { emptyHash, hashOn } from "./hash.ts";
import { PartialLines } from "./partial-lines.ts";
import type { Resident } from "./resident.ts";
import type { SpaceWaiter, WaitingLine } from "./waiting-line.ts";

/** Forms without tuples and waiters are kept, with their shapes, for what comes next; more than this are not. */
const maxIdleForms = 256;

const nobody: readonly WaitingLine[] = [];

/** What a partial record asks of the fields of a form; undefined where the form lacks one of its keys. */
function valuesIn(
  form: Form,
  template: CompiledTemplate,
): { readonly mask: number; readonly values: string[] } | undefined {
  if (form.keys === undefined) return undefined;
  const values = new Array<string>(form.keys.length).fill("");
  let mask = 0;
  let at = 0;
  for (const [index, key] of template.keys!.entries()) {
    while (at < form.keys.length && form.keys[at] !== key) at++;
    if (at === form.keys.length) return undefined;
    const actual = template.actual(index);
    if (actual === undefined || at >= maxMaskFields) continue;
    values[at] = actual;
    mask |= 1 << at;
  }
  return { mask, values };
}

/** Of the tuple that is dealt with at the moment: one for all spaces, since it keeps the room that the largest tuple took. */
const fields = new TextFields();
/** Which that is. */
let read: Resident | undefined;

/** Throws "codec" for what is no tuple's text. */
function fieldsOf(resident: Resident): TextFields {
  // One operation needs them more than once.
  if (read !== resident) {
    read = undefined;
    fields.readTuple(resident.text);
    read = resident;
  }
  return fields;
}

/** Finds the tuples that a template may match, and the waiters that a tuple may satisfy, without looking at the others. */
export class TupleIndex {
  /** Of positional tuples, by the number of fields. */
  readonly #positional = new Map<number, Form>();
  /** Of records, by the hash of their keys. */
  readonly #records = new Map<number, Form[]>();
  #forms = 0;
  /** Where a template was looked up last: what it finds is mostly taken then. */
  #sought: Form | undefined = undefined;
  readonly #partials = new PartialLines();
  #waiters = 0;
  readonly #makeBucket: MakeBucket;

  constructor(pick: Pick, random: () => number) {
    this.#makeBucket = bucketMaker(pick, random);
  }

  describe(): { readonly forms: number; readonly buckets: number } {
    let buckets = this.#partials.size;
    for (const form of this.#all()) buckets += form.buckets;
    return { forms: this.#forms, buckets };
  }

  /** Throws "codec" for what is no tuple's text. */
  check(resident: Resident): void {
    fieldsOf(resident);
  }

  /** `restored`: to the place it had, not to the end. */
  add(resident: Resident, restored: boolean): void {
    const fields = fieldsOf(resident);
    const form = this.#formOf(fields) ?? this.#make(fields);
    form.add(resident, fields, restored);
  }

  remove(resident: Resident): void {
    let form = this.#sought;
    if (form === undefined || !form.removeSought(resident)) {
      const fields = fieldsOf(resident);
      form = this.#formOf(fields);
      form?.remove(resident, fields);
    }
    if (form?.idle) this.#drop(form);
  }

  /** Shows each tuple once. */
  each(visit: (resident: Resident) => void): void {
    for (const form of this.#all()) form.all.each(visit);
  }

  /** All matches of a template that is not of a partial record are among these. */
  find(template: CompiledTemplate): Candidates | undefined {
    const form = this.#formFor(template);
    this.#sought = form;
    return form?.search(template.mask, template.parts);
  }

  /** All matches are among these. */
  search(template: CompiledTemplate): Candidates[] {
    const found: Candidates[] = [];
    if (template.kind !== "partial") {
      const candidates = this.find(template);
      if (candidates !== undefined) found.push(candidates);
      return found;
    }
    for (const form of this.#all()) {
      const asked = form.size === 0 ? undefined : valuesIn(form, template);
      const candidates = asked === undefined ? undefined : form.search(asked.mask, asked.values);
      if (candidates !== undefined) found.push(candidates);
    }
    return found;
  }

  /** Which index serves the template; "scan" where it looks at all tuples of its form. */
  explain(template: CompiledTemplate): { readonly index: string; readonly candidates: number } {
    if (template.kind !== "partial") {
      const form = this.#formFor(template);
      return form?.explain(template.mask, template.parts) ?? { index: "no such tuples", candidates: 0 };
    }
    const indexes = new Set<string>();
    let sum = 0;
    for (const form of this.#all()) {
      const asked = form.size === 0 ? undefined : valuesIn(form, template);
      if (asked === undefined) continue;
      const { index, candidates } = form.explain(asked.mask, asked.values);
      indexes.add(index);
      sum += candidates;
    }
    return { index: indexes.size === 0 ? "no such tuples" : [...indexes].sort().join("; "), candidates: sum };
  }

  /** Returns what makes the waiter leave. */
  wait(waiter: SpaceWaiter): () => void {
    const { template } = waiter;
    const form =
      template.kind === "partial"
        ? undefined
        : (this.#formFor(template) ?? this.#enlist(template.keys, template.parts.length));
    const leave = form === undefined ? this.#partials.wait(waiter) : form.wait(waiter);
    this.#waiters++;
    return () => {
      this.#waiters--;
      leave();
      if (form?.idle) this.#drop(form);
    };
  }

  /** Where the waiters stand that such a tuple may satisfy. Throws "codec" for what is no tuple's text. */
  lines(resident: Resident): readonly WaitingLine[] {
    const fields = fieldsOf(resident);
    if (this.#waiters === 0) return nobody;
    const lines: WaitingLine[] = [];
    this.#formOf(fields)?.collectLines(fields, lines);
    if (fields.keyed) this.#partials.collect(fields, lines);
    return lines;
  }

  *#all(): Iterable<Form> {
    yield* this.#positional.values();
    for (const forms of this.#records.values()) yield* forms;
  }

  #formOf(fields: TextFields): Form | undefined {
    const { text, count } = fields;
    if (!fields.keyed) return this.#positional.get(count);
    let hash = emptyHash;
    for (let key = 0; key < count; key++) hash = hashOn(hash, text, fields.keyStarts[key]!, fields.keyEnds[key]!);
    return this.#records.get(hash)?.find((form) => form.keys!.length === count && hasKeys(fields, form.keys!));
  }

  #formFor({ keys, parts }: CompiledTemplate): Form | undefined {
    if (keys === undefined) return this.#positional.get(parts.length);
    return this.#records
      .get(hashOfKeys(keys))
      ?.find((form) => form.keys!.length === keys.length && keys.every((key, index) => form.keys![index] === key));
  }

  #make(fields: TextFields): Form {
    const keys = fields.keyed ? Array.from({ length: fields.count }, (_, index) => fields.key(index)) : undefined;
    return this.#enlist(keys, fields.count);
  }

  #enlist(keys: readonly string[] | undefined, count: number): Form {
    const form = new Form(keys, keys === undefined ? count : hashOfKeys(keys), this.#makeBucket);
    this.#forms++;
    if (keys === undefined) this.#positional.set(count, form);
    else this.#records.set(form.hash, [...(this.#records.get(form.hash) ?? []), form]);
    return form;
  }

  #drop(form: Form): void {
    if (this.#forms <= maxIdleForms) return;
    if (form.keys === undefined) {
      if (this.#positional.get(form.hash) !== form) return;
      this.#positional.delete(form.hash);
    } else {
      const forms = this.#records.get(form.hash);
      if (forms?.includes(form) !== true) return;
      if (forms.length === 1) this.#records.delete(form.hash);
      else
        this.#records.set(
          form.hash,
          forms.filter((each) => each !== form),
        );
    }
    this.#forms--;
  }
}

function hashOfKeys(keys: readonly string[]): number {
  return keys.reduce((hash, key) => hashOn(hash, key, 0, key.length), emptyHash);
}

function hasKeys(fields: TextFields, keys: readonly string[]): boolean {
  for (let index = 0; index < keys.length; index++) {
    const start = fields.keyStarts[index]!;
    const key = keys[index]!;
    if (fields.keyEnds[index]! - start !== key.length || !fields.text.startsWith(key, start)) return false;
  }
  return true;
}
