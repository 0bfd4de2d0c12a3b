import type { CompiledTemplate, TextParts } from "@quadrant/contract";
import type { Bucket } from "./bucket.ts";
import { type Actuals, Form } from "./form.ts";
import { PartialLines } from "./partial-lines.ts";
import type { Resident } from "./resident.ts";
import { OrderedRow, type Pick, RandomRow, type Row } from "./row.ts";
import type { SpaceWaiter, WaitingLine } from "./waiting-line.ts";

/** Forms without tuples and waiters are kept, with their shapes, for what comes next; more than this are not. */
const maxIdleForms = 256;

/** The number of fields, or the set of keys. */
type FormId = number | string;

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
  readonly #makeRow: () => Row;

  constructor(pick: Pick, random: () => number) {
    this.#makeRow = pick === "random" ? () => new RandomRow(random) : () => new OrderedRow(pick === "newest");
  }

  /** `restored`: to the place it had, not to the end. */
  add(resident: Resident, restored: boolean): void {
    const { keys, parts } = resident.parts;
    this.#form(keys, parts.length).add(resident, restored);
  }

  remove(resident: Resident): void {
    const { keys, parts } = resident.parts;
    const id = formId(keys, parts.length);
    const form = this.#forms.get(id);
    form?.remove(resident);
    this.#dropIfIdle(id, form);
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
    if (template.kind === "partial") return this.#partials.wait(template, join);
    const fields = template.holes.length;
    const form = this.#form(template.keys, fields);
    const leave = form.wait(actualsOf(template), join);
    return () => {
      leave();
      this.#dropIfIdle(formId(template.keys, fields), form);
    };
  }

  /** Where the waiters stand that such a tuple may satisfy. */
  lines({ keys, parts }: TextParts): WaitingLine[] {
    const lines: WaitingLine[] = [];
    this.#forms.get(formId(keys, parts.length))?.collectLines(parts, lines);
    if (keys !== undefined) this.#partials.collect(keys, parts, lines);
    return lines;
  }

  #form(keys: readonly string[] | undefined, fields: number): Form {
    const id = formId(keys, fields);
    let form = this.#forms.get(id);
    if (form === undefined) {
      form = new Form(keys, this.#makeRow);
      this.#forms.set(id, form);
    }
    return form;
  }

  #dropIfIdle(id: FormId, form: Form | undefined): void {
    if (form?.idle && this.#forms.size > maxIdleForms && this.#forms.get(id) === form) this.#forms.delete(id);
  }
}
