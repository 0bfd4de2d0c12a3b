import type { BusError } from "@quadrant/contract";
import type { Encode, Kept } from "./group-commit.ts";
import { RowKind, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

/** How many names of destroyed things are remembered. */
const maxDestroyed = 10_000;

/** Throws "conflict" where an option is given and is not what was set when the thing was made. */
export function assertSame(setting: Setting, what: string, has: object, given: object): void {
  for (const [name, wanted] of Object.entries(given) as [string, unknown][]) {
    if (wanted === undefined) continue;
    const is = (has as Record<string, unknown>)[name];
    if (is === wanted) continue;
    throw setting.fault(
      "conflict",
      `${what} was made with ${name} ${is === undefined ? "unset" : String(is)}, not ${String(wanted)}: leave it out, or destroy and make it anew`,
    );
  }
}

interface Destroyed extends Kept {
  readonly kind: string;
  readonly name: string;
}

function encodeDestroyed({ row, kind, name }: Destroyed, rows: RowWriter): void {
  rows.begin(row, RowKind.destroyed).text(kind).text(name).end();
}

/**
 * The queues, logs or spaces of an engine by name. A name that was destroyed is remembered, so that those who still use
 * it learn of it instead of making it again with other options; opening it makes it anew.
 */
export class Catalog<T extends Kept> implements Iterable<T> {
  readonly kind: string;
  readonly #setting: Setting;
  readonly #make: (name: string) => T;
  readonly #encode: Encode<T>;
  readonly #things = new Map<string, T>();
  readonly #destroyed = new Map<string, Destroyed>();

  constructor(setting: Setting, kind: string, make: (name: string) => T, encode: Encode<T>) {
    this.#setting = setting;
    this.kind = kind;
    this.#make = make;
    this.#encode = encode;
  }

  get size(): number {
    return this.#things.size;
  }

  names(): string[] {
    return [...this.#things.keys()].sort();
  }

  find(name: string): T | undefined {
    return this.#things.get(name);
  }

  add(name: string, thing: T): void {
    this.#things.set(name, thing);
    this.#setting.commits?.put(thing, this.#encode);
    const destroyed = this.#destroyed.get(name);
    if (destroyed === undefined) return;
    this.#destroyed.delete(name);
    this.#setting.commits?.drop(destroyed);
  }

  /** What was there before the engine was started again. */
  restore(name: string, thing: T): void {
    this.#things.set(name, thing);
  }

  restoreDestroyed(row: number, name: string): void {
    this.#destroyed.set(name, { row, kind: this.kind, name });
  }

  /** The thing, made with defaults where it never was; "conflict" where it was destroyed. */
  obtain(name: string): T {
    const found = this.#things.get(name);
    if (found !== undefined) return found;
    if (this.#destroyed.has(name)) throw this.destroyedError(name);
    const made = this.#make(name);
    this.add(name, made);
    return made;
  }

  remove(name: string): T | undefined {
    const thing = this.#things.get(name);
    if (thing === undefined) return undefined;
    this.#things.delete(name);
    this.#setting.commits?.drop(thing);
    const destroyed = { row: 0, kind: this.kind, name };
    this.#destroyed.set(name, destroyed);
    this.#setting.commits?.put(destroyed, encodeDestroyed);
    if (this.#destroyed.size > maxDestroyed) this.#forgetOldest();
    return thing;
  }

  #forgetOldest(): void {
    for (const [name, oldest] of this.#destroyed) {
      this.#destroyed.delete(name);
      this.#setting.commits?.drop(oldest);
      return;
    }
  }

  isDestroyed(name: string): boolean {
    return this.#destroyed.has(name);
  }

  destroyedError(name: string): BusError {
    return this.#setting.fault("conflict", `the ${this.kind} ${name} was destroyed: open it again to make it anew`);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#things.values();
  }
}
