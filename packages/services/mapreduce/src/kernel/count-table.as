// The counting of words in AssemblyScript, which build.ts compiles to WebAssembly (SIMD). What it does, and why the result
// is the same, is said in count-table.ts; plain-count-table.ts does the same in JavaScript.
//
// Memory, from 0: masks, page marks, pages of the bitmap of word characters, a place to hand over bytes, then whatever
// `take` gives out: it only grows, and so does everything in it, by doubling.

/** Fills in the 256 bits of the characters from `page * 256`: which of them belong to words. */
@external("env", "classify") declare function classify(page: u32, at: usize): void;
/** The lower case of `length` bytes of UTF-8, written to `into`: its length, or 0 where it is the same. */
@external("env", "lowerCase") declare function lowerCase(at: usize, length: u32): u32;

const MASKS: usize = 1024; // 17 pairs of u64
const MARKS: usize = 2048; // a byte for each page: is it there?
const PAGES: usize = 8192; // 0x1100 pages of 32 bytes
const EDGES: usize = 0x2c000; // where runs begin and end, u32 each: a batch and what 64 bytes more may have
const BATCH: u32 = 1024;
const WIDE: u32 = 1 << 31;
const FIRST: usize = 0x2e000;

// An entry, 32 bytes: everything about a word of up to 16 bytes in half a cache line. They lie in the order in which words
// came, so that frequent ones are near to each other.
//   0 u64  its first eight bytes; of a long word its hash
//   8 u64  its second eight bytes; of a long word, and of one with a zero at its end, LONG
//  16 u64  how often it came
//  24 u32  FNV-1a of its bytes
//  28 u32  the entry of which it is a spelling, by number; of ASCII and of what is not yet folded, UNKNOWN
const ENTRY: usize = 32;
const UNKNOWN: u32 = u32.MAX_VALUE;
const LONG: u64 = 0xffff_ffff_ffff_ffff; // no UTF-8 has the byte 0xff
const SHORTEST_LONG: u32 = 17;
const PADDING: u32 = 64;
const CHUNK: u32 = 1 << 15;
const CURSOR: u32 = 16;

let end: usize = FIRST;

/** u32 for each slot: the number of an entry plus 1, and above it eight bits of its hash; 0 where it is free. */
let slots: usize = 0;
let slotMask: u32 = 0;
const NUMBER: u32 = 0x00ff_ffff;

let entries: usize = 0;
/** Entries there is room for; half as many as slots. */
let room: u32 = 0;
let size: u32 = 0;
let starts: usize = 0; // u32 by number, of long words: into the arena
let lengths: usize = 0; // u32 by number, of long words
let order: usize = 0; // u32: entries, sorted as their words are
let sorted: u32 = 0; // how many of them are
let spare: usize = 0; // u32

let arena: usize = 0;
let arenaRoom: u32 = 0;
let arenaUsed: u32 = 0;

let block: usize = 0;
let blockRoom: u32 = 0;
let folded: usize = 0;
let foldedRoom: u32 = 0;
let chunks: usize = 0; // u32: where blocks are written
let chunksRoom: u32 = 0;
let chunksHeld: u32 = 0;
let chunksUsed: u32 = 0;
let marks: usize = 0; // for each block three u32: its partition, where it begins and ends
let marksRoom: u32 = 0;
let cursors: usize = 0; // for each partition four u32: where its next pair goes, its block began and ends, its pairs
let cursorsRoom: u32 = 0;

function take(bytes: usize): usize {
  const at = end;
  end = (end + bytes + 31) & ~31;
  const pages = <i32>((end + 0xffff) >>> 16);
  const more = pages - memory.size();
  if (more > 0 && memory.grow(more) < 0) unreachable();
  return at;
}

function grown(old: usize, used: usize, bytes: usize): usize {
  const at = take(bytes);
  memory.copy(at, old, used);
  return at;
}

/** Makes room for the first words. */
export function start(words: u32): void {
  for (let length: u32 = 0; length <= 16; length++) {
    const low: u64 = length >= 8 ? ~(<u64>0) : (<u64>1 << (length * 8)) - 1;
    const high: u64 = length <= 8 ? 0 : length == 16 ? ~(<u64>0) : (<u64>1 << ((length - 8) * 8)) - 1;
    store<u64>(MASKS + length * 16, low);
    store<u64>(MASKS + length * 16 + 8, high);
  }
  widen(words);
}

function widen(words: u32): void {
  // More have no number; what holds this table lets go of it long before.
  if (words > NUMBER) unreachable();
  entries = grown(entries, <usize>size * ENTRY, <usize>words * ENTRY);
  starts = grown(starts, <usize>size * 4, <usize>words * 4);
  lengths = grown(lengths, <usize>size * 4, <usize>words * 4);
  order = grown(order, <usize>sorted * 4, <usize>words * 4);
  spare = take(<usize>words * 4);
  room = words;
  slotMask = words * 2 - 1;
  slots = take(<usize>words * 8);
  memory.fill(slots, 0, <usize>words * 8);
  for (let id: u32 = 0; id < size; id++) {
    const entry = entryOf(id);
    const hash = mixed(load<u64>(entry), load<u64>(entry, 8));
    let index = hash & slotMask;
    while (load<u32>(slots + <usize>index * 4) != 0) index = (index + 1) & slotMask;
    store<u32>(slots + <usize>index * 4, (hash & ~NUMBER) | (id + 1));
  }
}

@inline function entryOf(id: u32): usize {
  return entries + <usize>id * ENTRY;
}

@inline function idOf(entry: usize): u32 {
  return <u32>((entry - entries) / ENTRY);
}

@inline function mixed(low: u64, high: u64): u32 {
  const hash: u64 = (low * 0x9e37_79b9_7f4a_7c15) ^ rotl<u64>(high * 0xc2b2_ae3d_27d4_eb4f, 31);
  return <u32>(hash >> 32) ^ <u32>hash;
}

function longHash(at: usize, length: u32): u64 {
  let hash: u64 = length;
  let done: u32 = 0;
  for (; done + 8 <= length; done += 8) hash = rotl<u64>((hash ^ load<u64>(at + done)) * 0x9e37_79b9_7f4a_7c15, 29);
  const rest = load<u64>(at + done) & load<u64>(MASKS + (length - done) * 16);
  hash = (hash ^ rest) * 0xc2b2_ae3d_27d4_eb4f;
  return hash ^ (hash >> 32);
}

function equal(a: usize, b: usize, length: u32): bool {
  return memory.compare(a, b, length) == 0;
}

/** The word's entry. Behind it must be sixteen bytes that can be read. */
@inline function find(at: usize, length: u32): usize {
  return length < SHORTEST_LONG ? findShort(at, length) : findLong(at, length);
}

@inline function findShort(at: usize, length: u32): usize {
  const low = load<u64>(at) & load<u64>(MASKS + (length << 4));
  const high = load<u64>(at, 8) & load<u64>(MASKS + (length << 4), 8);
  const hash = mixed(low, high);
  let index = hash & slotMask;
  while (true) {
    const slot = load<u32>(slots + <usize>index * 4);
    if (slot == 0) return insert(index, hash, low, high, at, length);
    if (((slot ^ hash) & ~NUMBER) == 0) {
      const entry = entryOf((slot & NUMBER) - 1);
      if (load<u64>(entry) == low && load<u64>(entry, 8) == high) return entry;
    }
    index = (index + 1) & slotMask;
  }
}

function findLong(at: usize, length: u32): usize {
  const low = longHash(at, length);
  const hash = mixed(low, LONG);
  let index = hash & slotMask;
  while (true) {
    const slot = load<u32>(slots + <usize>index * 4);
    if (slot == 0) return insert(index, hash, low, LONG, at, length);
    const entry = entryOf((slot & NUMBER) - 1);
    if (load<u64>(entry) == low && load<u64>(entry, 8) == LONG) {
      const id = <usize>((slot & NUMBER) - 1) * 4;
      if (load<u32>(lengths + id) == length && equal(longWord(entry), at, length)) return entry;
    }
    index = (index + 1) & slotMask;
  }
}

function insert(index: u32, hash: u32, low: u64, high: u64, at: usize, length: u32): usize {
  const id = size++;
  const entry = entryOf(id);
  let fnv: u32 = 0x811c9dc5;
  for (let i: u32 = 0; i < length; i++) fnv = (fnv ^ load<u8>(at + i)) * 0x01000193;
  store<u32>(slots + <usize>index * 4, (hash & ~NUMBER) | (id + 1));
  store<u64>(entry, low);
  store<u64>(entry, high, 8);
  store<u64>(entry, 0, 16);
  store<u32>(entry, fnv, 24);
  store<u32>(entry, UNKNOWN, 28);
  if (high == LONG) keep(<usize>id * 4, at, length);
  if (size < room) return entry;
  widen(room * 2);
  return entryOf(id);
}

/** A long word's bytes. */
function keep(word: usize, at: usize, length: u32): void {
  // Sixteen more, so that as many can be read where it ends.
  if (arenaUsed + length + 16 > arenaRoom) {
    arenaRoom = max<u32>(max<u32>(arenaRoom * 2, arenaUsed + length + 16), 1 << 16);
    arena = grown(arena, arenaUsed, arenaRoom);
  }
  memory.copy(arena + arenaUsed, at, length);
  store<u32>(starts + word, arenaUsed);
  store<u32>(lengths + word, length);
  arenaUsed += length;
}

@inline function count(entry: usize, times: u64): void {
  store<u64>(entry, load<u64>(entry, 16) + times, 16);
}

/** Where a block of so many bytes can be put. */
export function blockAt(bytes: u32): usize {
  if (bytes + PADDING > blockRoom) {
    blockRoom = max<u32>(bytes + PADDING, blockRoom * 2);
    block = take(blockRoom);
  }
  return block;
}

/** Where so many bytes of lower case can be put. */
export function foldedAt(bytes: u32): usize {
  if (bytes + PADDING > foldedRoom) {
    foldedRoom = bytes + PADDING;
    folded = take(foldedRoom);
  }
  return folded;
}

/**
 * Counts the words of a text of so many bytes at `blockAt`, and folds its ASCII. It begins and ends where no word does.
 * Runs are first looked for and then looked up, a batch each, so that what the one waits for does not hold up the other.
 */
export function countWords(bytes: u32): void {
  memory.fill(block + bytes, 0x20, PADDING);
  const last = block + bytes + 1; // with one byte that ends the last word
  let found: u32 = 0;
  for (let at = block; at < last; at += 64) {
    found = findRuns(at, found);
    if (found >= BATCH) found = countRuns(found);
  }
  countRuns(found);
}

/** Folds 64 bytes, and adds where runs begin and end in them to the batch of edges; returns how many it then has. */
@inline function findRuns(at: usize, found: u32): u32 {
  let runs: u64 = 0;
  let beyond: u64 = 0;
  for (let step: u32 = 0; step < 64; step += 16) {
    const text = v128.load(at + step);
    const upper = i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x41)), i8x16.splat(26));
    const lower = v128.or(text, v128.and(upper, i8x16.splat(0x20)));
    v128.store(at + step, lower);
    const letter = i8x16.lt_u(i8x16.sub(lower, i8x16.splat(0x61)), i8x16.splat(26));
    const digit = i8x16.lt_u(i8x16.sub(text, i8x16.splat(0x30)), i8x16.splat(10));
    const high = <u64>i8x16.bitmask(text);
    beyond |= high << step;
    runs |= (<u64>i8x16.bitmask(v128.or(letter, digit)) | high) << step;
  }
  if (beyond != 0) {
    const marks = punctuation(at);
    runs &= ~marks;
    beyond &= ~marks;
  }
  const inside = found & 1;
  const edges = runs ^ ((runs << 1) | <u64>inside);
  if ((beyond | <u64>wide) != 0) return findWideRuns(at, found, edges, beyond);
  // Eight at a time, also where there are fewer: a loop whose length cannot be foreseen takes longer.
  const many = <u32>popcnt(edges);
  let rest = edges;
  let to = EDGES + <usize>found * 4;
  for (let done: u32 = 0; done < many; done += 8) {
    for (let i: u32 = 0; i < 8; i++) {
      store<u32>(to, <u32>at + <u32>ctz(rest));
      rest &= rest - 1;
      to += 4;
    }
  }
  return found + many;
}

/** Has the run that is not yet at its end bytes beyond ASCII? */
let wide: bool = false;

/** The same where there are such bytes: the end of a run with some of them is marked. */
function findWideRuns(at: usize, from: u32, edges: u64, beyond: u64): u32 {
  let found = from;
  let seen: u64 = 0; // up to where beyond has been looked at
  for (let rest = edges; rest != 0; rest &= rest - 1) {
    const below: u64 = (rest & (0 - rest)) - 1;
    let edge = <u32>at + <u32>ctz(rest);
    if ((found & 1) != 0 && (wide || (beyond & below & ~seen) != 0)) edge |= WIDE;
    wide = false;
    store<u32>(EDGES + <usize>found * 4, edge);
    found++;
    seen = below;
  }
  if ((found & 1) != 0 && (beyond & ~seen) != 0) wide = true;
  return found;
}

/** Which of 64 bytes are of the characters U+2000 to U+203F, quotes and dashes, none of which belongs to a word. */
function punctuation(at: usize): u64 {
  let leads: u64 = 0;
  let seconds: u64 = 0;
  let continuations: u64 = 0;
  for (let step: u32 = 0; step < 64; step += 16) {
    const text = v128.load(at + step);
    leads |= <u64>i8x16.bitmask(i8x16.eq(text, i8x16.splat(<i8>0xe2))) << step;
    seconds |= <u64>i8x16.bitmask(i8x16.eq(text, i8x16.splat(<i8>0x80))) << step;
    continuations |= <u64>i8x16.bitmask(i8x16.lt_s(text, i8x16.splat(<i8>0xc0))) << step;
  }
  const marks = leads & (seconds >> 1) & (continuations >> 2);
  return marks | (marks << 1) | (marks << 2);
}

/** Counts the runs of the batch. The beginning of one that is not yet at its end stays in it. */
function countRuns(found: u32): u32 {
  const whole = found & ~1;
  const last = EDGES + <usize>whole * 4;
  for (let at = EDGES; at < last; at += 8) {
    const from = <usize>load<u32>(at);
    const to = load<u32>(at, 4);
    if ((to & WIDE) != 0) countWide(from, <usize>(to & ~WIDE));
    else count(find(from, to - <u32>from), 1);
  }
  if (found == whole) return 0;
  store<u32>(EDGES, load<u32>(last));
  return 1;
}

/** A run with bytes beyond ASCII: the words in it are what is valid UTF-8 of letters, digits and marks. */
function countWide(from: usize, to: usize): void {
  // Most are one word, which has come before.
  const entry = known(from, <u32>(to - from));
  if (entry != 0) {
    const alias = load<u32>(entry, 28);
    if (alias != UNKNOWN) return count(entryOf(alias), 1);
  }
  let word: usize = 0;
  let plain = true;
  for (let at = from; at < to; ) {
    const lead = <u32>load<u8>(at);
    let width: u32 = 1;
    let inside = true;
    if (lead >= 0x80) {
      const decoded = decode(at, to, lead);
      width = decoded & 7;
      inside = width > 1 && isWordCharacter(decoded >> 3);
    }
    if (inside) {
      if (word == 0) {
        word = at;
        plain = true;
      }
      if (lead >= 0x80) plain = false;
    } else if (word != 0) {
      countPiece(word, <u32>(at - word), plain);
      word = 0;
    }
    at += width;
  }
  if (word != 0) countPiece(word, <u32>(to - word), plain);
}

/** The entry of a short word that has come before; else 0. */
function known(at: usize, length: u32): usize {
  if (length >= SHORTEST_LONG) return 0;
  const low = load<u64>(at) & load<u64>(MASKS + (length << 4));
  const high = load<u64>(at, 8) & load<u64>(MASKS + (length << 4), 8);
  let index = mixed(low, high) & slotMask;
  while (true) {
    const slot = load<u32>(slots + <usize>index * 4);
    if (slot == 0) return 0;
    const entry = entryOf((slot & NUMBER) - 1);
    if (load<u64>(entry) == low && load<u64>(entry, 8) == high) return entry;
    index = (index + 1) & slotMask;
  }
}

function countPiece(at: usize, length: u32, plain: bool): void {
  const entry = find(at, length);
  if (plain) return count(entry, 1);
  let alias = load<u32>(entry, 28);
  if (alias == UNKNOWN) {
    const id = idOf(entry);
    const bytes = lowerCase(at, length);
    alias = bytes == 0 ? id : idOf(find(folded, bytes));
    store<u32>(entryOf(id), alias, 28);
  }
  count(entryOf(alias), 1);
}

/** Code point << 3 | width; width 1 where it is no valid sequence. As in the Encoding Standard. */
function decode(at: usize, to: usize, lead: u32): u32 {
  const left = <u32>(to - at);
  if (lead < 0xc2 || lead > 0xf4 || left < 2) return 1;
  const second = <u32>load<u8>(at, 1);
  if (lead < 0xe0) return (second & 0xc0) != 0x80 ? 1 : ((((lead & 0x1f) << 6) | (second & 0x3f)) << 3) | 2;
  const least: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const most: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most || left < 3) return 1;
  const third = <u32>load<u8>(at, 2);
  if ((third & 0xc0) != 0x80) return 1;
  const three = ((second & 0x3f) << 6) | (third & 0x3f);
  if (lead < 0xf0) return ((((lead & 0x0f) << 12) | three) << 3) | 3;
  if (left < 4) return 1;
  const fourth = <u32>load<u8>(at, 3);
  if ((fourth & 0xc0) != 0x80) return 1;
  return ((((lead & 0x07) << 18) | (three << 6) | (fourth & 0x3f)) << 3) | 4;
}

function isWordCharacter(point: u32): bool {
  const page = point >> 8;
  const bits = PAGES + <usize>page * 32;
  if (load<u8>(MARKS + page) == 0) {
    classify(page, bits);
    store<u8>(MARKS + page, 1);
  }
  return ((load<u8>(bits + ((point & 0xff) >> 3)) >> (<u8>point & 7)) & 1) != 0;
}

/** Adds pairs as they lie in the blocks of runs: of so many bytes at `blockAt`. */
export function addPairs(bytes: u32): u32 {
  memory.fill(block + bytes, 0, PADDING);
  const last = block + bytes;
  let pairs: u32 = 0;
  for (let at = block; at < last; pairs++) {
    let length: u32 = 0;
    let shift: u32 = 0;
    let byte: u32;
    do {
      byte = <u32>load<u8>(at++);
      length |= (byte & 0x7f) << shift;
      shift += 7;
    } while (byte >= 0x80);
    at++; // A count has eight bytes at most, so its length is one byte, and the count itself tells where it ends.
    // Zeros at its end would be taken for none.
    const long = length >= SHORTEST_LONG || (length > 0 && load<u8>(at + length - 1) == 0);
    const entry = long ? findLong(at, length) : findShort(at, length);
    at += length;
    let times: u64 = 0;
    let scale: u64 = 0;
    do {
      byte = <u32>load<u8>(at++);
      times |= (<u64>(byte & 0x7f)) << scale;
      scale += 7;
    } while (byte >= 0x80);
    count(entry, times);
  }
  return pairs;
}

/** Eight bytes of a word from `from`, 0 or 8, so that they compare as the bytes do. */
@inline function bytesOf(entry: usize, from: usize): u64 {
  if (load<u64>(entry, 8) != LONG) return bswap<u64>(load<u64>(entry + from));
  const length = lengthOf(entry);
  const bytes = load<u64>(longWord(entry) + from);
  return bswap<u64>(length >= SHORTEST_LONG ? bytes : bytes & load<u64>(MASKS + length * 16 + from));
}

@inline function longWord(entry: usize): usize {
  return arena + load<u32>(starts + <usize>idOf(entry) * 4);
}

@inline function lengthOf(entry: usize): u32 {
  const high = load<u64>(entry, 8);
  if (high == LONG) return load<u32>(lengths + <usize>idOf(entry) * 4);
  return high != 0 ? 16 - (<u32>clz<u64>(high) >> 3) : 8 - (<u32>clz<u64>(load<u64>(entry)) >> 3);
}

function before(a: u32, b: u32): bool {
  const left = entryOf(a);
  const right = entryOf(b);
  for (let from: usize = 0; from < 16; from += 8) {
    const first = bytesOf(left, from);
    const second = bytesOf(right, from);
    if (first != second) return first < second;
  }
  const leftLength = lengthOf(left);
  const rightLength = lengthOf(right);
  if (leftLength < SHORTEST_LONG || rightLength < SHORTEST_LONG) return leftLength < rightLength;
  const compared = memory.compare(longWord(left), longWord(right), min(leftLength, rightLength));
  return compared != 0 ? compared < 0 : leftLength < rightLength;
}

/** Merges two neighbours, `from` to `middle` and `middle` to `to`, into another place. */
function merge(source: usize, from: u32, middle: u32, to: u32, target: usize): void {
  let left = from;
  let right = middle;
  for (let at = from; at < to; at++) {
    const takesLeft =
      left < middle &&
      (right >= to || !before(load<u32>(source + <usize>right * 4), load<u32>(source + <usize>left * 4)));
    store<u32>(target + <usize>at * 4, load<u32>(source + <usize>(takesLeft ? left++ : right++) * 4));
  }
}

/** Brings the words that came since the last time into the order of all. */
function sortWords(): void {
  if (sorted == size) return;
  let source = order + <usize>sorted * 4;
  let target = spare + <usize>sorted * 4;
  const fresh = size - sorted;
  for (let id = sorted; id < size; id++) store<u32>(order + <usize>id * 4, id);
  for (let width: u32 = 1; width < fresh; width *= 2) {
    for (let from: u32 = 0; from < fresh; from += width * 2) {
      merge(source, from, min(from + width, fresh), min(from + width * 2, fresh), target);
    }
    const other = source;
    source = target;
    target = other;
  }
  if (source != order + <usize>sorted * 4) memory.copy(order + <usize>sorted * 4, source, <usize>fresh * 4);
  if (sorted > 0) {
    merge(order, 0, sorted, size, spare);
    const other = order;
    order = spare;
    spare = other;
  }
  sorted = size;
}

@inline function varintBytes(value: u64): u32 {
  return value < 0x80 ? 1 : (70 - <u32>clz<u64>(value)) / 7;
}

function putVarint(at: usize, value: u64): usize {
  while (value >= 0x80) {
    store<u8>(at++, <u8>(value | 0x80));
    value >>= 7;
  }
  store<u8>(at++, <u8>value);
  return at;
}

/**
 * Writes all that was counted as pairs, sorted in each of so many partitions, and counts from nothing again. Returns how
 * many blocks there are; `marksAt` says where each is, `cursorsAt` how many pairs each partition has.
 */
export function drain(partitions: u32): u32 {
  sortWords();
  const bytes = <u32>partitions * CURSOR;
  if (bytes > cursorsRoom) {
    cursors = take(bytes);
    cursorsRoom = bytes;
  }
  memory.fill(cursors, 0, bytes);
  chunksUsed = 0;
  let blocks: u32 = 0;
  for (let rank: u32 = 0; rank < size; rank++) {
    const entry = entryOf(load<u32>(order + <usize>rank * 4));
    const times = load<u64>(entry, 16);
    if (times == 0) continue;
    store<u64>(entry, 0, 16);
    const partition = load<u32>(entry, 24) % partitions;
    const own = cursors + <usize>partition * CURSOR;
    const length = lengthOf(entry);
    // Two numbers, and a word's sixteen bytes, of which perhaps only the first are meant.
    if (load<u32>(own) + length + 32 > load<u32>(own, 8)) blocks = turn(blocks, partition, length + 32);
    let at = putVarint(load<u32>(own), length);
    store<u8>(at++, <u8>varintBytes(times));
    if (load<u64>(entry, 8) != LONG) {
      store<u64>(at, load<u64>(entry));
      store<u64>(at, load<u64>(entry, 8), 8);
    } else memory.copy(at, longWord(entry), length);
    store<u32>(own, <u32>putVarint(at + length, times));
    store<u32>(own, load<u32>(own, 12) + 1, 12);
  }
  for (let partition: u32 = 0; partition < partitions; partition++) blocks = mark(blocks, partition);
  return blocks;
}

/** Closes a partition's block, and begins another one. */
function turn(blocks: u32, partition: u32, bytes: u32): u32 {
  const marked = mark(blocks, partition);
  const own = cursors + <usize>partition * CURSOR;
  const room = max<u32>(bytes, CHUNK);
  const chunk = <u32>(room > CHUNK ? take(room) : nextChunk());
  store<u32>(own, chunk);
  store<u32>(own, chunk, 4);
  store<u32>(own, chunk + room, 8);
  return marked;
}

function nextChunk(): usize {
  if (chunksUsed == chunksHeld) {
    if ((chunksHeld + 1) * 4 > chunksRoom) {
      chunksRoom = max<u32>(chunksRoom * 2, 4096);
      chunks = grown(chunks, <usize>chunksHeld * 4, chunksRoom);
    }
    store<u32>(chunks + <usize>(chunksHeld++) * 4, <u32>take(CHUNK));
  }
  return load<u32>(chunks + <usize>(chunksUsed++) * 4);
}

function mark(blocks: u32, partition: u32): u32 {
  const own = cursors + <usize>partition * CURSOR;
  if (load<u32>(own) == load<u32>(own, 4)) return blocks;
  if ((blocks + 1) * 12 > marksRoom) {
    marksRoom = max<u32>(marksRoom * 2, 4096);
    marks = grown(marks, <usize>blocks * 12, marksRoom);
  }
  const at = marks + <usize>blocks * 12;
  store<u32>(at, partition);
  store<u32>(at, load<u32>(own, 4), 4);
  store<u32>(at, load<u32>(own), 8);
  return blocks + 1;
}

export function marksAt(): usize {
  return marks;
}
export function cursorsAt(): usize {
  return cursors;
}
/** How many words there are. */
export function words(): u32 {
  return size;
}
