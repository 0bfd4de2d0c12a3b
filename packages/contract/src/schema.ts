import { BusError } from "./errors.ts";

/** https://standardschema.dev, version 1. */
export interface StandardSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => unknown;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Throws "invalid" unless `schema` is undefined or follows Standard Schema. */
export function checkSchema(schema: unknown): void {
  if (schema === undefined) return;
  const standard =
    (typeof schema === "object" && schema !== null) || typeof schema === "function"
      ? (schema as Partial<StandardSchema<unknown>>)["~standard"]
      : undefined;
  if (typeof standard?.validate !== "function")
    throw new BusError("invalid", "schema: give one that follows Standard Schema (zod, valibot, arktype)");
}

function describe(issue: Issue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
  return path === "" ? issue.message : `${path}: ${issue.message}`;
}

function output<T>(result: unknown): T {
  const { issues, value } = result as { readonly issues?: readonly Issue[] | undefined; readonly value?: T };
  if (issues === undefined) return value as T;
  const shown = issues.slice(0, 3).map(describe).join("; ");
  const more = issues.length > 3 ? `; and ${issues.length - 3} more` : "";
  throw new BusError("invalid", `the schema refuses this value: ${shown}${more}`, { cause: issues });
}

function refused(cause: unknown): BusError {
  if (cause instanceof BusError) return cause;
  return new BusError("invalid", `the schema threw: ${String(cause)}`, { cause });
}

/** The schema's output; throws "invalid", or rejects with it where the schema is asynchronous. */
export function validate<T>(schema: StandardSchema<T>, value: unknown): T | Promise<T> {
  try {
    const result = schema["~standard"].validate(value);
    if (!(result instanceof Promise)) return output<T>(result);
    return result.then(output<T>).catch((cause: unknown) => Promise.reject(refused(cause)));
  } catch (cause) {
    throw refused(cause);
  }
}

/** The schema of what goes out: what is sent later overtakes nothing whose validation takes its time. */
export class OutgoingSchema<T> {
  readonly #schema: StandardSchema<T>;
  #tail: Promise<void> | undefined;

  constructor(schema: StandardSchema<T>) {
    this.#schema = schema;
  }

  /** Throws or rejects with "invalid"; undefined: the value may go at once. */
  check(value: unknown): Promise<void> | undefined {
    const result = validate(this.#schema, value);
    if (!(result instanceof Promise) && this.#tail === undefined) return undefined;
    const turn = Promise.all([this.#tail, result]).then(() => undefined);
    const tail = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#tail === tail) this.#tail = undefined;
      });
    this.#tail = tail;
    return turn;
  }
}
