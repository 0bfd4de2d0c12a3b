/**
 * The codec over MessagePack. Beyond JSON it carries undefined, dates, bigints, binary, Map, Set, NaN, the infinities
 * and -0. Map, Set and -0 travel under an extension of ours (type 0x51, then an array), undefined and bigints beyond 64
 * bits under those of msgpackr, the library; everything else is plain MessagePack that any reader reads.
 *
 * What the library would change on the way without a word is refused instead ("codec"): class instances, symbols,
 * functions, holes in arrays, lone surrogates, keys named `__proto__`. Bytes are checked before they are decoded.
 */
import { BusError, type Codec, maxDepth } from "@quadrant/contract";
import { addExtension, Packr } from "msgpackr";
import { boxType, checkMsgpack } from "./msgpack-bytes.ts";

/** A value that msgpackr would write as something else, as the array that stands for it. */
class Box {
  readonly parts: readonly unknown[];
  constructor(parts: readonly unknown[]) {
    this.parts = parts;
  }
}

function unbox(parts: unknown): unknown {
  if (Array.isArray(parts)) {
    if (parts[0] === "-0" && parts.length === 1) return -0;
    if (parts[0] === "set") return new Set<unknown>(parts.slice(1));
    if (parts[0] === "map" && parts.length % 2 === 1) {
      const map = new Map<unknown, unknown>();
      for (let i = 1; i < parts.length; i += 2) map.set(parts[i], parts[i + 1]);
      return map;
    }
  }
  throw new BusError("codec", "an extension of type 0x51 that is none of Map, Set and -0");
}

// The library keeps extensions for the whole process. This one meets only Boxes, which nobody else can make.
addExtension({ Class: Box, type: boxType, write: (box: Box) => box.parts, read: unbox });

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  useBigIntExtension: true,
  useToJSON: false,
  structuredClone: false,
  copyBuffers: true,
});

function refuse(what: string): never {
  throw new BusError("codec", `msgpack cannot carry ${what}`);
}

function checkString(text: string): string {
  return text.isWellFormed() ? text : refuse("a string with a lone surrogate");
}

function prepareArray(value: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (item === undefined && !(i in value)) refuse("an array with holes");
    const ready = prepare(item, depth);
    if (copy === undefined && !Object.is(ready, item)) copy = value.slice(0, i);
    copy?.push(ready);
  }
  return copy ?? value;
}

function prepareRecord(value: object, depth: number): object {
  if (Object.getOwnPropertySymbols(value).length > 0) refuse("a record with a symbol for a key");
  const record = value as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(record)) {
    if (key === "__proto__") refuse("a key named __proto__");
    checkString(key);
    const item = record[key];
    const ready = prepare(item, depth);
    if (Object.is(ready, item)) continue;
    copy ??= { ...record };
    copy[key] = ready;
  }
  return copy ?? value;
}

function prepareObject(value: object, depth: number): unknown {
  if (value instanceof Date) return value;
  if (value instanceof Uint8Array) return value.constructor === Uint8Array ? value : new Uint8Array(value);
  if (depth === maxDepth) refuse(`what is nested deeper than ${maxDepth} levels, or in a cycle`);
  if (Array.isArray(value)) return prepareArray(value, depth + 1);
  if (value instanceof Map) {
    return new Box(["map", ...prepareArray([...value].flat(1), depth + 1)]);
  }
  if (value instanceof Set) return new Box(["set", ...prepareArray([...value], depth + 1)]);
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto === null || Object.getPrototypeOf(proto) === null) return prepareRecord(value, depth + 1);
  return refuse(`an instance of ${value.constructor?.name || "a class"}; give a plain record`);
}

/** The value as the library will carry it unchanged: itself, or a copy in which boxes stand for what it would change. */
function prepare(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return checkString(value);
    case "number":
      return Object.is(value, -0) ? new Box(["-0"]) : value;
    case "object":
      return value === null ? null : prepareObject(value, depth);
    case "function":
    case "symbol":
      return refuse(`a ${typeof value}`);
    default:
      return value;
  }
}

/** Also dates, bigints, binary, Map and Set. Its content type is application/msgpack. */
export const msgpack: Codec = {
  contentType: "application/msgpack",
  encode(value: unknown): Uint8Array {
    return packr.pack(prepare(value, 0));
  },
  decode(bytes: Uint8Array): unknown {
    checkMsgpack(bytes);
    // A view of plain Uint8Array: binary inside comes out as that too, never as Buffer.
    return packr.unpack(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  },
};
