import { decodeFromCompressedBase64, type Histogram } from "hdr-histogram-js";

/** Of a histogram of nanoseconds as a sample carries it. */
export function percentileUs(latency: string, percentile: number): number {
  return decodeFromCompressedBase64(latency).getValueAtPercentile(percentile) / 1_000;
}

/** What several rounds saw, in one histogram of nanoseconds; undefined for none. */
export function merged(latencies: readonly string[]): Histogram | undefined {
  const [first, ...rest] = latencies.map((each) => decodeFromCompressedBase64(each));
  for (const each of rest) first?.add(each);
  return first;
}
