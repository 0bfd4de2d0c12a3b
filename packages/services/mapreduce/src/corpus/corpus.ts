import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { InputFile } from "../input/plan.ts";
import { seededRandom } from "./random.ts";
import { vocabularyOf } from "./vocabulary.ts";
import { zipf } from "./zipf.ts";

export interface CorpusOptions {
  readonly seed: number;
  /** About so many in all. */
  readonly bytes: number;
  /** Default 64. */
  readonly files?: number | undefined;
  /** Different words to draw from. Default 200 000. */
  readonly words?: number | undefined;
}

export interface Corpus {
  readonly files: readonly InputFile[];
  readonly bytes: number;
  /** How many words there are in all. */
  readonly total: number;
  /** How often each word is in it, known from writing it: nothing was read and counted. */
  readonly counts: ReadonlyMap<string, number>;
}

/** What stands between words: mostly a space; quotes and dashes beyond ASCII, both line ends. */
const separators: readonly string[] = [
  ..." ".repeat(50),
  ...[", ", ", ", ", ", ". ", ". ", ".\n", "\n", "\n", "; ", ".\r\n", "—", " “", "” ", "’"],
];
const chunkBytes = 1 << 20;
const longestPair = 256;

/**
 * Writes text files into a folder: words of a vocabulary, the n-th most frequent in proportion to 1 / n, every eighth
 * with a capital. The same seed makes the same bytes.
 */
export async function writeCorpus(folder: string, options: CorpusOptions): Promise<Corpus> {
  const { seed, bytes, files = 64, words = 200_000 } = options;
  await mkdir(folder, { recursive: true });
  const text = new CorpusText(seed, words);
  const written: InputFile[] = [];
  for (let index = 0; index < files; index++) {
    const path = join(folder, `text-${String(index).padStart(4, "0")}.txt`);
    const wanted = Math.round(bytes / files);
    written.push({ path, bytes: await writeFileOf(path, wanted, text) });
  }
  return { files: written, bytes: written.reduce((sum, file) => sum + file.bytes, 0), ...text.counted() };
}

async function writeFileOf(path: string, wanted: number, text: CorpusText): Promise<number> {
  const file = await open(path, "w");
  try {
    let bytes = 0;
    while (bytes < wanted) {
      const piece = text.next(Math.min(chunkBytes, wanted - bytes));
      await file.writeFile(piece);
      bytes += piece.length;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

class CorpusText {
  readonly #random: () => number;
  readonly #draw: () => number;
  readonly #spellings: readonly (readonly [plain: Buffer, capitalized: Buffer])[];
  readonly #words: readonly string[];
  readonly #counts: Float64Array;
  readonly #separators: readonly Buffer[] = separators.map((each) => Buffer.from(each));
  readonly #buffer = Buffer.allocUnsafeSlow(chunkBytes + longestPair);

  constructor(seed: number, words: number) {
    this.#random = seededRandom(seed);
    const vocabulary = vocabularyOf(words, this.#random);
    this.#words = vocabulary.map(({ word }) => word);
    this.#spellings = vocabulary.map(({ word, capitalized }) => [Buffer.from(word), Buffer.from(capitalized)]);
    this.#counts = new Float64Array(words);
    this.#draw = zipf(words, this.#random);
  }

  /** So many bytes or a few more, with whole words, a separator at the end; valid until the next call. */
  next(bytes: number): Buffer {
    const buffer = this.#buffer;
    let at = 0;
    while (at < bytes) {
      const rank = this.#draw();
      const chance = this.#random();
      this.#counts[rank]!++;
      const spelling = this.#spellings[rank]![(chance & 7) === 0 ? 1 : 0]!;
      for (let i = 0; i < spelling.length; i++) buffer[at++] = spelling[i]!;
      const separator = this.#separators[(chance >>> 8) % this.#separators.length]!;
      for (let i = 0; i < separator.length; i++) buffer[at++] = separator[i]!;
    }
    return buffer.subarray(0, at);
  }

  counted(): { readonly total: number; readonly counts: ReadonlyMap<string, number> } {
    const counts = new Map<string, number>();
    let total = 0;
    for (const [rank, word] of this.#words.entries()) {
      if (this.#counts[rank]! > 0) counts.set(word, this.#counts[rank]!);
      total += this.#counts[rank]!;
    }
    return { total, counts };
  }
}
