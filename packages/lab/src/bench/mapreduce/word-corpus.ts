import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Corpus, writeCorpus } from "@quadrant/mapreduce";

export interface WordCorpus extends Corpus {
  readonly folder: string;
}

const corpora = new Map<number, Promise<WordCorpus>>();

/** A corpus of about so many bytes, written once, there until `removeCorpora`. It is in the page cache afterwards. */
export function wordCorpus(bytes: number): Promise<WordCorpus> {
  const corpus = corpora.get(bytes) ?? write(bytes);
  corpora.set(bytes, corpus);
  return corpus;
}

async function write(bytes: number): Promise<WordCorpus> {
  const folder = await mkdtemp(join(tmpdir(), "quadrant-corpus-"));
  return { folder, ...(await writeCorpus(folder, { seed: 1, bytes })) };
}

export async function removeCorpora(): Promise<void> {
  for (const corpus of corpora.values()) await rm((await corpus).folder, { recursive: true, force: true });
  corpora.clear();
}

/** How many of the corpus's words were counted otherwise than it says, or not at all. */
export function miscounted(corpus: WordCorpus, counts: Iterable<readonly [word: string, count: number]>): number {
  const left = new Map(corpus.counts);
  let wrong = 0;
  for (const [word, count] of counts) {
    if (left.get(word) !== count) wrong++;
    left.delete(word);
  }
  return wrong + left.size;
}
