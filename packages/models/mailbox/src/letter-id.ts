import { randomFillSync } from "node:crypto";

const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** Random bytes are drawn in bulk. */
const pool = new Uint8Array(4096);
const randomPerStem = 10;
/** 12 bits count the ids of one millisecond; the upper half is left free when it begins. */
const counterLimit = 0x1000;
const counters: readonly string[] = Array.from({ length: counterLimit }, (_, count) =>
  count.toString(16).padStart(3, "0"),
);

let drawn = pool.length;
let lastMs = 0;
let counter = 0;
/** What is before and behind the counter: the same for all ids of a millisecond, 62 bits of it random. */
let stem = "";
let tail = "";

function begin(atMs: number): void {
  lastMs = atMs;
  if (drawn + randomPerStem > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const at = drawn;
  drawn += randomPerStem;
  const byte = (index: number): string => hex[pool[at + index]!]!;
  const time = lastMs.toString(16).padStart(12, "0");
  stem = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  const variant = hex[0x80 | (pool[at + 2]! & 0x3f)]!;
  tail = Buffer.from(`-${variant}${byte(3)}-${byte(4)}${byte(5)}${byte(6)}${byte(7)}${byte(8)}${byte(9)}`).toString(
    "latin1",
  );
  counter = ((pool[at]! << 8) | pool[at + 1]!) & 0x7ff;
}

/** A UUID of version 7 (RFC 9562): greater than every one that this process made before, also within a millisecond. */
export function letterId(now: number = Date.now()): string {
  if (now > lastMs) begin(now);
  else if (++counter === counterLimit) {
    // More ids than a millisecond has room for, or a clock that went back: the time of ids runs ahead a little.
    begin(lastMs + 1);
    counter = 0;
  }
  return stem + counters[counter] + tail;
}
