import type { Readable } from "node:stream";
import { failed } from "./failure.ts";

/** A line longer than this is no message of any bus. In UTF-16 units. */
const longestLine = 64 * 1024 * 1024;

/**
 * The lines of a stream, without their ends, in batches as they arrive: an interactive user's line is there at once, a
 * file's come by the hundred. Ends quietly when the signal aborts. What follows the last line feed is a line too.
 */
export async function* lineBatches(stream: Readable, signal: AbortSignal): AsyncGenerator<string[], void, undefined> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let restLength = 0;
  const stop = (): void => void stream.destroy();
  if (signal.aborted) return;
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array | string>) {
      const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      const lines = text.split("\n");
      // Joined only once the line is whole: a long line comes in many chunks.
      rest.push(lines[0]!);
      restLength += lines[0]!.length;
      if (restLength > longestLine) throw failed(`stdin: a line of more than ${longestLine} characters`);
      if (lines.length === 1) continue;
      lines[0] = rest.join("");
      const last = lines.pop()!;
      rest = [last];
      restLength = last.length;
      yield lines.map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  const last = rest.join("") + decoder.decode();
  if (last !== "" && !signal.aborted) yield [last];
}
