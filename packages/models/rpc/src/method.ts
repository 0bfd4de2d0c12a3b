/** Which functions of a service can be called, and under which names. */
import { BusError } from "@quadrant/contract";

/** Names that mean something to the language or to a stub: never called over the bus, never served. */
const reserved: ReadonlySet<string> = new Set([
  "then",
  "catch",
  "finally",
  "toJSON",
  "$with",
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/** Whether a stub keeps the name for itself. */
export function isReserved(name: string): boolean {
  return reserved.has(name);
}

const visible = /^[^\p{Z}\p{Cc}\p{Cf}\p{Cs}\p{Cn}]{1,255}$/u;

/** Names that were found valid. Forgotten all at once when they are too many. */
const known = new Set<string>();
const maxKnown = 1_024;

/** Throws "invalid" unless `name` can name a method: 1 to 255 visible characters. */
export function checkMethodName(name: string): void {
  if (known.has(name)) return;
  if (!visible.test(name)) {
    throw new BusError(
      "invalid",
      `${JSON.stringify(name.slice(0, 80))} is no method: give 1 to 255 visible characters without white space`,
    );
  }
  if (known.size >= maxKnown) known.clear();
  known.add(name);
}

export type Method = (this: unknown, ...args: unknown[]) => unknown;

function isRoot(object: object): boolean {
  return (
    object === Object.prototype || (Object.getPrototypeOf(object) === null && Object.hasOwn(object, "hasOwnProperty"))
  );
}

function collect(from: object, service: object, found: Map<string, Method>): void {
  for (const name of Object.getOwnPropertyNames(from)) {
    if (name === "constructor" && from !== service) continue;
    // The descriptor, not the value: a getter may do anything.
    const value: unknown = Object.getOwnPropertyDescriptor(from, name)?.value;
    if (typeof value !== "function") continue;
    if (reserved.has(name)) {
      throw new BusError("invalid", `a method named ${name} cannot be served: stubs keep that name; rename the method`);
    }
    checkMethodName(name);
    // The nearest in the chain wins, as in a call.
    if (!found.has(name)) found.set(name, value as Method);
  }
}

/** The methods of an object and of its class chain below Object. Accessors are none. Throws "invalid". */
export function methodsOf(service: unknown): ReadonlyMap<string, Method> {
  if (typeof service !== "object" || service === null || Array.isArray(service)) {
    const what = typeof service === "function" ? "a function or class" : service === null ? "null" : typeof service;
    throw new BusError(
      "invalid",
      `a service is an object with methods, not ${Array.isArray(service) ? "an array" : what}`,
    );
  }
  const found = new Map<string, Method>();
  for (let at: object | null = service; at !== null && !isRoot(at); at = Object.getPrototypeOf(at) as object | null) {
    collect(at, service, found);
  }
  if (found.size === 0) throw new BusError("invalid", "a service without methods: there is nothing to call");
  return found;
}
