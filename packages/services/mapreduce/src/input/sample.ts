import type { Input } from "./input.ts";
import type { Split } from "./plan.ts";

/** A sample looks into so many splits, and at so many bytes of each. */
const splitsSampled = 64;
const bytesSampled = 64 * 1024;

/** Records from the beginnings of splits all over the input: the same ones each time. For inputs that may be cut. */
export async function sampleOf<R>(input: Input<R>, splits: readonly Split[]): Promise<readonly R[]> {
  const step = Math.max(1, splits.length / splitsSampled);
  const found: R[] = [];
  for (let at = 0; at < splits.length; at += step) {
    const range = splits[Math.floor(at)]?.ranges[0];
    if (range === undefined) continue;
    const end = Math.min(range.end, range.start + bytesSampled);
    const own: R[] = [];
    await input.read({ ...range, end }, (raw) => {
      const record = input.record(raw);
      if (record !== undefined) own.push(record);
      return false;
    });
    // The last one may have been cut.
    if (end < range.end && own.length > 1) own.pop();
    for (const record of own) found.push(record);
  }
  return found;
}
