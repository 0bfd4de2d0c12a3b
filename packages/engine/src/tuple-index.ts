import type { CompiledTemplate } from "@quadrant/contract";
import { type Bucket, bucketMaker, type MakeBucket, type Pick } from "./bucket.ts";
import { Form, type FormId } from "./form.ts";
import { PartialLines } from "./partial-lines.ts";
import type { Resident } from "./resident.ts";
import type { Actuals } from "./shape.ts";
import type { SpaceWaiter, WaitingLine } from "./waiting-line.ts";

/** Forms without tuples and waiters are kept, with their shapes, for what comes next; more than this are not. */
const maxIdleForms = 256;

const nobody: readonly WaitingLine[] = [];

function formId(keys: readonly string[] | undefined, fields: number): FormId {
  if (keys === undefined) return fields;
  let id = "";
  for (const key of keys) id += `${key.length}:${key}`;
  return id;
}

function actualsOf(template: CompiledTemplate): Actuals {
  return template.holes.map((hole) => hole.actual);
}

/** What a partial record asks of the fields of a form; undefined where the form lacks one of its keys. */
function actualsIn(form: Form, template: CompiledTemplate): Actuals | undefined {
  if (form.keys === undefined) return undefined;
  const actuals = new Array<string | undefined>(form.keys.length).fill(undefined);
  let at = 0;
  for (const [index, key] of template.keys!.entries()) {
    while (at < form.keys.length && form.keys[at] !== key) at++;
    if (at === form.keys.length) return undefined;
    actuals[at] = template.holes[index]!.actual;
  }
  return actuals;
}

/** Finds the tuples that a template may match, and the waiters that a tuple may satisfy, without looking at the others. */
export class TupleIndex {
  readonly #forms = new Map<FormId, Form>();
  readonly #partials = new PartialLines();
  #waiters = 0;
  readonly #makeBucket: MakeBucket;

  constructor(pick: Pick, random: () => number) {
    this.#makeBucket = bucketMaker(pick, random);
  }

  describe(): { readonly forms: number; readonly buckets: number } {
    let buckets = this.#partials.size;
    for (const form of this.#forms.values()) buckets += form.buckets;
    return { forms: this.#forms.size, buckets };
  }

  /** `restored`: to the place it had, not to the end. */
  add(resident: Resident, restored: boolean): void {
    const { keys, parts } = resident;
    this.#form(keys, parts.length).add(resident, restored);
  }

  remove(resident: Resident): void {
    const { keys, parts } = resident;
    const form = this.#forms.get(formId(keys, parts.length));
    form?.remove(resident);
    this.#dropIfIdle(form);
  }

  /** All matches are in these buckets. */
  search(template: CompiledTemplate): Bucket[] {
    const buckets: Bucket[] = [];
    if (template.kind !== "partial") {
      const bucket = this.#forms.get(formId(template.keys, template.holes.length))?.search(actualsOf(template));
      if (bucket !== undefined) buckets.push(bucket);
      return buckets;
    }
    for (const form of this.#forms.values()) {
      const actuals = form.size === 0 ? undefined : actualsIn(form, template);
      const bucket = actuals === undefined ? undefined : form.search(actuals);
      if (bucket !== undefined) buckets.push(bucket);
    }
    return buckets;
  }

  /** Returns what makes the waiter leave. */
  wait(waiter: SpaceWaiter): () => void {
    const { template } = waiter;
    const join = (line: WaitingLine): (() => void) => line.join(waiter);
    const fields = template.holes.length;
    const form = template.kind === "partial" ? undefined : this.#form(template.keys, fields);
    const leave = form === undefined ? this.#partials.wait(template, join) : form.wait(actualsOf(template), join);
    this.#waiters++;
    return () => {
      this.#waiters--;
      leave();
      this.#dropIfIdle(form);
    };
  }

  /** Where the waiters stand that such a tuple may satisfy. */
  lines({ keys, parts }: Resident): readonly WaitingLine[] {
    if (this.#waiters === 0) return nobody;
    const lines: WaitingLine[] = [];
    this.#forms.get(formId(keys, parts.length))?.collectLines(parts, lines);
    if (keys !== undefined) this.#partials.collect(keys, parts, lines);
    return lines;
  }

  #form(keys: readonly string[] | undefined, fields: number): Form {
    const id = formId(keys, fields);
    let form = this.#forms.get(id);
    if (form === undefined) {
      form = new Form(id, keys, this.#makeBucket);
      this.#forms.set(id, form);
    }
    return form;
  }

  #dropIfIdle(form: Form | undefined): void {
    if (!form?.idle || this.#forms.size <= maxIdleForms) return;
    if (this.#forms.get(form.id) === form) this.#forms.delete(form.id);
  }
}
