import { isUtf8 } from "node:buffer";
import { BusError, maxDepth } from "@quadrant/contract";

/** The extension under which Map, Set and -0 travel: the tag, a filler byte, then an array. */
export const boxType = 0x51;
/** The others that are read: msgpackr's for undefined and large bigints, and the standard timestamp. */
const undefinedType = 0x00;
const bigintType = 0x42;
const timestampType = 0xff;

function refuse(why: string): never {
  throw new BusError("codec", `not the MessagePack of a value: ${why}`);
}

/** What a head byte announces. */
interface Head {
  /** Bytes that follow the head and belong to the item itself. */
  readonly payload: number;
  /** Items that follow it, keys of maps included. */
  readonly items: number;
  readonly kind: "scalar" | "text" | "array" | "map" | "tag";
}

/** Walks MessagePack without building anything: lengths, depth, extensions and keys, in one pass. */
class Walk {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #length(size: 1 | 2 | 4): number {
    if (this.#at + size > this.#bytes.length) refuse("it ends in the middle");
    const at = this.#at;
    this.#at += size;
    return size === 1 ? this.#view.getUint8(at) : size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #extension(size: number): Head {
    const type = this.#length(1);
    if (type === boxType && size === 1) return { payload: 1, items: 1, kind: "tag" };
    const known =
      (type === undefinedType && size === 1) ||
      (type === bigintType && size > 0) ||
      (type === timestampType && (size === 1 || size === 4 || size === 8 || size === 12));
    if (!known) refuse(`an extension of type ${type} and ${size} bytes`);
    return { payload: size, items: 0, kind: "scalar" };
  }

  #sized(payload: number, kind: "scalar" | "text" = "scalar"): Head {
    return { payload, items: 0, kind };
  }

  #head(): Head {
    const head = this.#length(1);
    if (head < 0x80 || head >= 0xe0) return this.#sized(0);
    if (head < 0x90) return { payload: 0, items: (head & 0x0f) * 2, kind: "map" };
    if (head < 0xa0) return { payload: 0, items: head & 0x0f, kind: "array" };
    if (head < 0xc0) return this.#sized(head & 0x1f, "text");
    if (head >= 0xd4 && head <= 0xd8) return this.#extension(1 << (head - 0xd4));
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return this.#sized(0);
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#sized(this.#length((1 << (head - 0xc4)) as 1 | 2 | 4));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length((1 << (head - 0xc7)) as 1 | 2 | 4));
      case 0xca:
        return this.#sized(4);
      case 0xcb:
        return this.#sized(8);
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return this.#sized(1 << (head - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return this.#sized(1 << (head - 0xd0));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#sized(this.#length((1 << (head - 0xd9)) as 1 | 2 | 4), "text");
      case 0xdc:
      case 0xdd:
        return { payload: 0, items: this.#length(head === 0xdc ? 2 : 4), kind: "array" };
      case 0xde:
      case 0xdf:
        return { payload: 0, items: this.#length(head === 0xde ? 2 : 4) * 2, kind: "map" };
      default:
        return refuse("a byte 0xc1");
    }
  }

  #text(length: number, isKey: boolean): void {
    const text = this.#bytes.subarray(this.#at, this.#at + length);
    if (!isUtf8(text)) refuse("a text that is no UTF-8");
    if (isKey && length === 9 && Buffer.from(text).toString("latin1") === "__proto__") refuse("a key named __proto__");
  }

  /** Throws "codec" unless the bytes are exactly one value of those that the codec writes. */
  check(): void {
    /** Items still to come at each level of nesting, and whether the level is a map. */
    const left: number[] = [1];
    const inMap: boolean[] = [false];
    let tagged = false;
    while (left.length > 0) {
      const level = left.length - 1;
      if (left[level] === 0) {
        left.pop();
        inMap.pop();
        continue;
      }
      const isKey = inMap[level]! && left[level]! % 2 === 0;
      const head = this.#head();
      if (head.payload > this.#bytes.length - this.#at) refuse("it ends in the middle");
      if (isKey && head.kind !== "text") refuse("a key that is no text");
      if (tagged && head.kind !== "array") refuse("an extension without its array");
      if (head.kind === "text") this.#text(head.payload, isKey);
      this.#at += head.payload;
      tagged = head.kind === "tag";
      // The tagged array takes the tag's place.
      if (tagged) continue;
      left[level]!--;
      if (head.kind !== "array" && head.kind !== "map") continue;
      if (head.items > this.#bytes.length - this.#at) refuse("it claims more items than it has bytes");
      if (left.length > maxDepth) refuse(`it is nested deeper than ${maxDepth} levels`);
      left.push(head.items);
      inMap.push(head.kind === "map");
    }
    if (this.#at !== this.#bytes.length) refuse(`${this.#bytes.length - this.#at} bytes too many`);
  }
}

/** Throws "codec" unless the bytes are one MessagePack value, whole, of bounded depth, and safe to build. */
export function checkMsgpack(bytes: Uint8Array): void {
  new Walk(bytes).check();
}
