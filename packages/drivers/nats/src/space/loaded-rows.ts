import { eachChange } from "./changes.ts";
import type { Segment, Segments } from "./segments.ts";

export interface LoadedGroup {
  readonly changes: Buffer;
  readonly segment: Segment;
}

/** How much is done in one turn of the event loop. */
const rowsPerTurn = 4_096;
/** A row's number and its place among the others in one number, as long as both are below these. */
const placeBits = 2 ** 21;
const packedRows = 2 ** 32;

/** Shows the rows that are alive in the order of their numbers: where each stands, in arrays of numbers, not an object each. */
export async function visitAlive(
  groups: readonly LoadedGroup[],
  segments: Segments,
  visit: (row: number, data: Buffer) => void,
): Promise<void> {
  const count = segments.rows;
  const rows = new Float64Array(count);
  const group = new Uint32Array(count);
  const body = new Uint32Array(count);
  const end = new Uint32Array(count);
  let found = 0;
  for (const [at, { changes, segment }] of groups.entries()) {
    if (segment.live === 0) continue;
    eachChange(changes, {
      put: (row, _, from, to) => {
        if (!segments.holds(row, segment)) return;
        rows[found] = row;
        group[found] = at;
        body[found] = from;
        end[found++] = to;
      },
      remove: () => undefined,
    });
  }
  const order = inOrder(rows.subarray(0, found));
  for (let at = 0; at < found; at++) {
    const place = order === undefined ? at : order(at);
    visit(rows[place]!, groups[group[place]!]!.changes.subarray(body[place], end[place]));
    if (at % rowsPerTurn === rowsPerTurn - 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The place of the nth smallest; undefined where they are in order. */
function inOrder(rows: Float64Array): ((nth: number) => number) | undefined {
  let last = 0;
  let sorted = true;
  let packs = rows.length < placeBits;
  for (const row of rows) {
    sorted &&= row >= last;
    packs &&= row < packedRows;
    last = row;
  }
  if (sorted) return undefined;
  if (packs) {
    const packed = rows.map((row, at) => row * placeBits + at).sort();
    return (nth) => packed[nth]! % placeBits;
  }
  const places = Uint32Array.from(rows, (_, at) => at).sort((a, b) => rows[a]! - rows[b]!);
  return (nth) => places[nth]!;
}
