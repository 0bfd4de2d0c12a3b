import type { Summary } from "@quadrant/mapreduce";
import { failed } from "../failure.ts";
import type { Output } from "../output.ts";

const number: Intl.NumberFormat = new Intl.NumberFormat("en-US");
/** More than these are only counted. */
const shown = 10;

/** For people: what was done, the counters, and what was out of the ordinary. */
export async function printSummary(output: Output, summary: Summary): Promise<void> {
  const { files, bytes, seconds, maps, reduces, workers, rounds, skew, counters, slowest } = summary;
  const rate = (bytes / 1e6 / seconds).toFixed(1);
  await output.line(
    `${number.format(files)} files, ${number.format(bytes)} bytes in ${seconds.toFixed(2)} s: ${rate} MB/s`,
  );
  const round = rounds > 1 ? ` in ${rounds} rounds` : "";
  await output.line(
    `${workers} workers, ${number.format(maps)} map tasks, ${number.format(reduces)} reduce tasks${round}`,
  );
  await output.line(`the largest partition is ${skew} times the mean`);
  const width = Math.max(0, ...Object.keys(counters).map((name) => name.length));
  for (const [name, value] of Object.entries(counters)) {
    await output.line(`  ${name.padEnd(width)}  ${number.format(value)}`);
  }
  const longest = slowest.map(({ task, ms }) => `${task} ${(ms / 1_000).toFixed(2)} s`);
  if (longest.length > 0) await output.line(`slowest: ${longest.join(", ")}`);
  const { failures, lost, takeovers } = summary;
  if (failures + lost + takeovers > 0) {
    await output.line(
      `${failures} attempts failed, ${lost} map outputs were made again, ${takeovers} times a master was replaced`,
    );
  }
  if (summary.outcome === "done") await output.line(`the result is in ${summary.out}`);
}

/** Warns of what is missing; fails unless the job is done with everything read. */
export function assertDone(output: Output, { outcome, error, unread, skipped, job }: Summary): void {
  for (const { record, message } of skipped.slice(0, shown)) {
    const where = "path" in record ? `${record.path}:${record.offset}` : `key ${Buffer.from(record.key, "base64")}`;
    output.warn(`left out after two failures: ${message.startsWith(where) ? message : `${where}: ${message}`}`);
  }
  for (const { path, message } of unread.slice(0, shown)) output.warn(`${path} could not be read: ${message}`);
  const more = Math.max(skipped.length - shown, 0) + Math.max(unread.length - shown, 0);
  if (more > 0) output.warn(`and ${more} more`);
  if (outcome === "failed" && error?.stack !== undefined) output.warn(error.stack);
  if (outcome !== "done")
    throw failed(`the job ${job} ${outcome === "failed" ? `failed: ${error?.message}` : "was cancelled"}`);
  if (unread.length > 0) throw failed(`${unread.length} files or folders are missing in the result, or not all in it`);
}
