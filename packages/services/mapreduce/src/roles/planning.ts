import { listDocuments, type Unread } from "../input/document.ts";
import { type InputFile, planSplits, type Split } from "../input/plan.ts";
import { loadJob } from "../job/reference.ts";
import type { JobState } from "./job-state.ts";
import type { Submission } from "./submission.ts";
import type { Transition } from "./transition.ts";

/** An entry holds splits of about so many characters. */
const splitChars = 128 * 1024;

/** What the round at hand reads and how it is split, as transitions for the log: several entries, the last of them `planned`. */
export async function planRound(
  state: JobState,
  submission: Submission,
  signal: AbortSignal,
): Promise<readonly (readonly Transition[])[]> {
  const { reference, reducers, splitBytes, workers } = submission;
  const job = await loadJob({ ...reference, options: state.options });
  const listing =
    state.round > 1 ? { files: state.files, binary: 0, unread: [] } : await listInputs(submission, signal);
  const { splits, unread } = await planSplits(job.input, listing.files, { splitBytes, workers });
  const options = await job.prepare?.(splits, reducers);
  const extent = {
    files: listing.files.length,
    bytes: splits.reduce((sum, { bytes }) => sum + bytes, 0),
    binary: listing.binary,
    unread: [...listing.unread, ...unread],
  };
  const entries = batchesOf(splits).map((batch): readonly Transition[] => [{ kind: "split", splits: batch }]);
  return [...entries, [{ kind: "planned", at: Date.now(), extent, options }]];
}

interface Inputs {
  readonly files: readonly InputFile[];
  readonly binary: number;
  readonly unread: readonly Unread[];
}

/** Every file once for each name it is given. */
async function listInputs({ inputs, endings }: Submission, signal: AbortSignal): Promise<Inputs> {
  const byName = new Map<string | undefined, string[]>();
  for (const input of inputs) {
    const [, name, path] = input.match(/^([A-Za-z0-9_-]+)=(.+)$/s) ?? [undefined, undefined, input];
    byName.set(name, [...(byName.get(name) ?? []), path!]);
  }
  const files: InputFile[] = [];
  const unread: Unread[] = [];
  let binary = 0;
  for (const [source, paths] of byName) {
    const listing = await listDocuments(paths, { endings, signal });
    files.push(...listing.documents.map((document) => ({ ...document, source })));
    unread.push(...listing.unread);
    binary += listing.binary;
  }
  return { files, binary, unread };
}

function batchesOf(splits: readonly Split[]): readonly (readonly Split[])[] {
  const batches: Split[][] = [];
  let chars = splitChars;
  for (const split of splits) {
    const length = JSON.stringify(split).length;
    if (chars + length > splitChars) {
      batches.push([]);
      chars = 0;
    }
    batches.at(-1)!.push(split);
    chars += length;
  }
  return batches;
}
