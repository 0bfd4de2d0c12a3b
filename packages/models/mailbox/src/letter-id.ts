import { randomFillSync } from "node:crypto";

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Random bytes are drawn in bulk: a draw costs more than a thousand ids. */
const pool = new Uint8Array(8192);
const randomPerId = 9;
/** 12 bits count the ids of one millisecond; the upper half is left free when it begins. */
const counterLimit = 0x1000;

let drawn = pool.length;
let lastMs = 0;
let counter = 0;

/** A UUID of version 7 (RFC 9562): greater than every one that this process made before, also within a millisecond. */
export function letterId(now: number = Date.now()): string {
  if (drawn + randomPerId > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const at = drawn;
  drawn += randomPerId;
  if (now > lastMs) {
    lastMs = now;
    counter = ((pool[at]! << 8) | pool[at + 1]!) & 0x7ff;
  } else if (++counter === counterLimit) {
    // More ids than a millisecond has room for, or a clock that went back: the time of ids runs ahead a little.
    lastMs++;
    counter = 0;
  }
  const byte = (index: number): string => hex[pool[at + index]!]!;
  const time = lastMs.toString(16).padStart(12, "0");
  const count = hex[counter >> 4]! + (counter & 0xf).toString(16);
  const variant = hex[0x80 | (pool[at + 1]! & 0x3f)]!;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}-${variant}${byte(2)}-${byte(3)}${byte(4)}${byte(5)}${byte(6)}${byte(7)}${byte(8)}`;
}
