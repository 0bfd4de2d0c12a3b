import { columns, type Discs, rows } from "../rules/connect-four.ts";
import type { Strategy } from "./strategy.ts";

/*
 * Alpha-beta over bitboards. A column is 7 bits, its 6 cells from the bottom and an empty one on top, so that no line goes
 * round the edge. 49 bits are more than an integer operation takes: columns 0–3 are `lo`, 4–6 are `hi`.
 */
const height: number = rows + 1;
const loColumns = 4;
const loMask = 0x0fff_ffff;
const tableBits = 16;
const won = 1_000;

const isLow = (column: number): boolean => column < loColumns;
const bottomOf = (column: number): number => 1 << ((column % loColumns) * height);
const cellsOf = (column: number): number => bottomOf(column) * 0x3f;

/** How many lines of four each cell is part of, column by column. */
const weights: readonly (readonly number[])[] = [
  [3, 4, 5, 5, 4, 3],
  [4, 6, 8, 8, 6, 4],
  [5, 8, 11, 11, 8, 5],
  [7, 10, 13, 13, 10, 7],
  [5, 8, 11, 11, 8, 5],
  [4, 6, 8, 8, 6, 4],
  [3, 4, 5, 5, 4, 3],
];

/** Whether four are in a row: along a column, a diagonal, a row, the other diagonal. */
function aligned(lo: number, hi: number): boolean {
  for (let by = height - 2; by <= height + 1; by++) {
    const step = by === height - 2 ? 1 : by;
    const pairLo = lo & ((lo >>> step) | (hi << (28 - step))) & loMask;
    const pairHi = hi & (hi >>> step);
    const twice = 2 * step;
    if ((pairLo & ((pairLo >>> twice) | (pairHi << (28 - twice))) & loMask) !== 0) return true;
    if ((pairHi & (pairHi >>> twice)) !== 0) return true;
  }
  return false;
}

interface Sides {
  readonly mineLo: number;
  readonly mineHi: number;
  readonly allLo: number;
  readonly allHi: number;
}

class Search {
  readonly #keys = new Float64Array(1 << tableBits);
  readonly #values = new Int16Array(1 << tableBits);
  readonly #depths = new Int8Array(1 << tableBits);
  /** 0 exact, 1 at least, 2 at most. */
  readonly #bounds = new Uint8Array(1 << tableBits);
  readonly #order: readonly number[];
  #left: number;

  constructor(order: readonly number[], nodes: number) {
    this.#order = order;
    this.#left = nodes;
    this.#keys.fill(-1);
  }

  /** The best column by the deepest search that the nodes suffice for. */
  choose(sides: Sides): number {
    const wins = this.#winning(sides.mineLo, sides.mineHi, sides.allLo, sides.allHi);
    const blocks = this.#winning(sides.allLo ^ sides.mineLo, sides.allHi ^ sides.mineHi, sides.allLo, sides.allHi);
    const forced = wins[0] ?? blocks[0];
    if (forced !== undefined) return forced;
    let playable = this.#order.filter((column) => this.#bit(column, sides.allLo, sides.allHi) !== 0);
    const free = columns * rows - discsIn(sides.allLo) - discsIn(sides.allHi);
    for (let depth = 1; depth <= free; depth++) {
      const best = this.#best(sides, playable, depth);
      if (best === undefined) break;
      playable = [best.column, ...playable.filter((column) => column !== best.column)];
      if (Math.abs(best.value) > won / 2) break;
    }
    return playable[0] ?? 0;
  }

  /** undefined where the nodes did not suffice. */
  #best(sides: Sides, playable: readonly number[], depth: number): { column: number; value: number } | undefined {
    let best = { column: playable[0] ?? 0, value: -won };
    for (const column of playable) {
      const value = -this.#after(sides, column, -won, -best.value, depth, 0, 0);
      if (this.#left <= 0) return undefined;
      if (value > best.value) best = { column, value };
    }
    return best;
  }

  #after(sides: Sides, column: number, alpha: number, beta: number, depth: number, ply: number, score: number): number {
    const bit = this.#bit(column, sides.allLo, sides.allHi);
    const lo = isLow(column) ? bit : 0;
    const hi = isLow(column) ? 0 : bit;
    const gained = score + (weights[column]?.[rowOf(bit, column)] ?? 0);
    return this.#value(
      {
        mineLo: sides.allLo ^ sides.mineLo,
        mineHi: sides.allHi ^ sides.mineHi,
        allLo: sides.allLo | lo,
        allHi: sides.allHi | hi,
      },
      alpha,
      beta,
      depth - 1,
      ply + 1,
      -gained,
    );
  }

  /** For who is to move. `score` is the weight of this side's cells less the other's. */
  #value(sides: Sides, low: number, high: number, depth: number, ply: number, score: number): number {
    if (--this.#left <= 0) return 0;
    const { mineLo, mineHi, allLo, allHi } = sides;
    if (this.#winning(mineLo, mineHi, allLo, allHi).length > 0) return won - ply - 1;
    const threats = this.#winning(allLo ^ mineLo, allHi ^ mineHi, allLo, allHi);
    if (threats.length > 1) return ply + 2 - won;
    const key = (mineHi + allHi) * 2 ** 28 + mineLo + allLo;
    const slot = (Math.imul(mineLo + allLo, 0x9e37_79b1) ^ Math.imul(mineHi + allHi, 0x85eb_ca6b)) >>> (32 - tableBits);
    const held = this.#keys[slot] === key;
    if (held && (this.#depths[slot] ?? 0) >= depth) {
      const value = this.#values[slot] ?? 0;
      const bound = this.#bounds[slot];
      if (bound === 0 || (bound === 1 && value >= high) || (bound === 2 && value <= low)) return value;
    }
    if (depth <= 0 && threats.length === 0) return score;
    let best = Number.NEGATIVE_INFINITY;
    let alpha = low;
    for (const column of threats.length > 0 ? threats : this.#order) {
      if (this.#bit(column, allLo, allHi) === 0) continue;
      best = Math.max(best, -this.#after(sides, column, -high, -alpha, depth, ply, score));
      if (this.#left <= 0) return 0;
      alpha = Math.max(alpha, best);
      if (alpha >= high) break;
    }
    if (best === Number.NEGATIVE_INFINITY) return 0;
    this.#keys[slot] = key;
    this.#values[slot] = best;
    this.#depths[slot] = depth;
    this.#bounds[slot] = best >= high ? 1 : best <= low ? 2 : 0;
    return best;
  }

  /** The cell in which a disc would come to rest; 0 where the column is full. */
  #bit(column: number, allLo: number, allHi: number): number {
    return ((isLow(column) ? allLo : allHi) + bottomOf(column)) & cellsOf(column);
  }

  /** The columns in which a side would complete four. */
  #winning(lo: number, hi: number, allLo: number, allHi: number): number[] {
    const found: number[] = [];
    for (const column of this.#order) {
      const bit = this.#bit(column, allLo, allHi);
      if (bit !== 0 && (isLow(column) ? aligned(lo | bit, hi) : aligned(lo, hi | bit))) found.push(column);
    }
    return found;
  }
}

function rowOf(bit: number, column: number): number {
  return 31 - Math.clz32(bit) - (column % loColumns) * height;
}

function discsIn(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}

/**
 * Completes four where it can, keeps the other from it where it must, and looks ahead as far as `nodes` positions go: the same
 * view and chance lead to the same move, however fast the machine is. RangeError where `nodes` is no whole number above 0.
 */
export function searchingConnectFour(nodes = 10_000): Strategy {
  if (!Number.isInteger(nodes) || nodes < 1) throw new RangeError(`nodes ${nodes} is no whole number above 0`);
  return (view, seat, random) => {
    const discs = view as Discs;
    const sides = { mineLo: 0, mineHi: 0, allLo: 0, allHi: 0 };
    for (const [at, held] of discs.entries()) {
      if (held === null) continue;
      const column = at % columns;
      const bit = bottomOf(column) << (rows - 1 - Math.floor(at / columns));
      if (isLow(column)) {
        sides.allLo |= bit;
        if (held === seat) sides.mineLo |= bit;
      } else {
        sides.allHi |= bit;
        if (held === seat) sides.mineHi |= bit;
      }
    }
    // From the middle outwards, left or right first by chance.
    const order = [1, 2, 3].flatMap((off) => (random() < 0.5 ? [3 - off, 3 + off] : [3 + off, 3 - off]));
    return { column: new Search([3, ...order], nodes).choose(sides) };
  };
}
