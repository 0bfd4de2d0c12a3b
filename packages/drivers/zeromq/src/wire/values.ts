import { BusError, type BusErrorCode, busErrorCodes, type Headers, noHeaders } from "@quadrant/contract";
import { Packr } from "msgpackr";

// copyBuffers: what is kept (letters, entries) must not pin the packet it came in.
const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: true, copyBuffers: true, moreTypes: false });

/** The wire's form of anything that is no envelope: one msgpack array. */
export function encodeValues(values: readonly unknown[]): Buffer {
  return packr.pack(values);
}

function malformed(what: string): BusError {
  return new BusError("invalid", `malformed request: ${what}`);
}

/** The fields of a msgpack array, each read as what it has to be; throws "invalid" otherwise. */
export class Values {
  readonly #values: readonly unknown[];

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  static read(bytes: Uint8Array): Values {
    let value: unknown;
    try {
      value = packr.unpack(bytes);
    } catch (cause) {
      throw new BusError("invalid", "malformed request: no msgpack", { cause });
    }
    if (!Array.isArray(value)) throw malformed("no array");
    return new Values(value);
  }

  raw(index: number): unknown {
    return this.#values[index];
  }

  string(index: number): string {
    const value = this.#values[index];
    if (typeof value !== "string") throw malformed(`field ${index} is no string`);
    return value;
  }

  optionalString(index: number): string | undefined {
    return this.#values[index] === null || this.#values[index] === undefined ? undefined : this.string(index);
  }

  number(index: number): number {
    const value = this.#values[index];
    if (typeof value === "bigint") return Number(value);
    if (typeof value !== "number" || Number.isNaN(value)) throw malformed(`field ${index} is no number`);
    return value;
  }

  /** A number that a record can carry. */
  u32(index: number): number {
    const value = this.number(index);
    if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw malformed(`field ${index} is no u32`);
    return value;
  }

  optionalNumber(index: number): number | undefined {
    return this.#values[index] === null || this.#values[index] === undefined ? undefined : this.number(index);
  }

  boolean(index: number): boolean {
    return this.#values[index] === true;
  }

  bytes(index: number): Uint8Array {
    const value = this.#values[index];
    if (!(value instanceof Uint8Array)) throw malformed(`field ${index} is no binary`);
    return value;
  }

  headers(index: number): Headers {
    return headersOf(this.strings(index));
  }

  strings(index: number): readonly string[] {
    const value = this.#values[index];
    if (!Array.isArray(value) || !value.every((each) => typeof each === "string")) {
      throw malformed(`field ${index} is no list of strings`);
    }
    return value;
  }

  optionalStrings(index: number): readonly string[] | undefined {
    return this.#values[index] === null || this.#values[index] === undefined ? undefined : this.strings(index);
  }

  /** A list of arrays, each as values. */
  list(index: number): readonly Values[] {
    const value = this.#values[index];
    if (!Array.isArray(value)) throw malformed(`field ${index} is no list`);
    return value.map((each) => {
      if (!Array.isArray(each)) throw malformed(`field ${index} is no list of arrays`);
      return new Values(each);
    });
  }

  /** The fields from `index` on. */
  tail(index: number): Values {
    return new Values(this.#values.slice(index));
  }

  values(index: number): Values {
    const value = this.#values[index];
    if (!Array.isArray(value)) throw malformed(`field ${index} is no array`);
    return new Values(value);
  }
}

/** Headers as one flat list: a record would change a header named `__proto__`. */
export function flatHeaders(headers: Headers): readonly string[] {
  return headers === noHeaders ? [] : Object.entries(headers).flat();
}

export function headersOf(list: readonly string[]): Headers {
  if (list.length === 0) return noHeaders;
  const entries: [string, string][] = [];
  for (let i = 0; i + 1 < list.length; i += 2) entries.push([list[i]!, list[i + 1]!]);
  return Object.fromEntries(entries);
}

export function encodeError(error: BusError): readonly [code: string, message: string] {
  return [error.code, error.message];
}

export function decodeError(values: Values): BusError {
  const code = values.string(0);
  const known = busErrorCodes.find((each): each is BusErrorCode => each === code);
  return new BusError(known ?? "unavailable", values.string(1), { driver: "zeromq" });
}

/** The error that ends something; also where it cannot be read, since whoever waits for that end has to hear of it. */
export function toldError(bytes: Uint8Array): BusError {
  try {
    return decodeError(Values.read(bytes));
  } catch (cause) {
    return new BusError("unavailable", "the hub ended it, for a reason that cannot be read", {
      cause,
      driver: "zeromq",
    });
  }
}
