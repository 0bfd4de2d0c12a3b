/** Bytes and choices that a seed decides. Mulberry32: small, quick, the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.below(256);
    return bytes;
  }
}

type Mutation = (random: Random, bytes: Buffer) => Buffer;

/** Numbers in which lengths and counts lie. */
const lies = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff];

const flip: Mutation = (random, bytes) => {
  const flipped = Buffer.from(bytes);
  if (flipped.length === 0) return flipped;
  for (let left = 1 + random.below(8); left > 0; left--) {
    const at = random.below(flipped.length);
    flipped[at] = flipped[at]! ^ (1 << random.below(8));
  }
  return flipped;
};

const truncate: Mutation = (random, bytes) => bytes.subarray(0, random.below(bytes.length + 1));

const extend: Mutation = (random, bytes) => Buffer.concat([bytes, random.bytes(1 + random.below(64))]);

/** A length or count somewhere in it is another. */
const lie: Mutation = (random, bytes) => {
  const lying = Buffer.from(bytes);
  const size = random.of([1, 2, 4]);
  if (lying.length < size) return lying;
  const value = random.of(lies) % 2 ** (8 * size);
  lying.writeUIntBE(value, random.below(lying.length - size + 1), size);
  return lying;
};

/** Pieces of it twice, or in another order. */
const splice: Mutation = (random, bytes) => {
  const cut = (): number => random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, cut()), bytes.subarray(cut()), bytes.subarray(cut())]);
};

const noise: Mutation = (random, bytes) => random.bytes(random.below(bytes.length + 32));

const mutations: readonly Mutation[] = [flip, flip, flip, truncate, extend, lie, lie, splice, noise];

export function mutated(random: Random, bytes: Buffer): Buffer {
  return random.of(mutations)(random, bytes);
}

/** msgpack that is deep, that claims more than there is, or is of a type that nobody sends. */
export function hostileValues(random: Random): Buffer {
  const claim = (type: number): Buffer => {
    const bytes = Buffer.alloc(5 + random.below(32));
    bytes[0] = type;
    bytes.writeUInt32BE(random.of(lies), 1);
    return bytes;
  };
  return random.of<() => Buffer>([
    () => Buffer.alloc(random.of([10, 1_000, 20_000]), 0x91),
    () => Buffer.alloc(random.of([10, 1_000, 20_000]), 0x81),
    // Arrays, maps, strings, bytes and extensions with lengths of 32 bits.
    () => claim(random.of([0xdd, 0xdf, 0xdb, 0xc6, 0xc9])),
    () => Buffer.concat([Buffer.from([0x94]), claim(random.of([0xdd, 0xdf, 0xdb, 0xc6, 0xc9]))]),
    // Records, dates and other extensions of msgpackr's.
    () => Buffer.from([0x93, 0xd4, random.of([0x72, 0xff, 0x69, 0x70, 0x73, 0x65]), random.below(256), 0xa1, 0x61]),
    () => Buffer.concat([Buffer.from([0x92, 0xa9]), Buffer.from("__proto__"), random.bytes(8)]),
    () => random.bytes(random.below(64)),
  ])();
}
