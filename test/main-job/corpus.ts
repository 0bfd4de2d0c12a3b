import { link, mkdir, mkdtemp, readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A generator of pseudo-random numbers in [0, 1): the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const pieces = ["e", "ta", "In", "on", "Shr", "dlu", "é", "ß", "ΟΣ", "漢", "ın", "İ", "7", "0", "x\u0301", "𐐀"];
const gaps = [" ", " ", " ", " ", "\n", "\r\n", ", ", "-", "’", "_", "—", "\t", "…", ". ", "。", "\u00a0"];
const hazards = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];

/** A folder of texts in many scripts, with broken UTF-8 here and there, of about so many bytes. */
export async function writeCorpus(seed: number, bytes: number): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "quadrant-corpus-")));
  const random = seeded(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const word = (): string => {
    if (random() < 0.02) return pick(hazards);
    return Array.from({ length: 1 + Math.floor(random() ** 2 * 5) }, () => pick(pieces)).join("");
  };
  for (let file = 0, written = 0; written < bytes; file++) {
    // Many small ones, and a few that are split.
    const size = random() < 0.1 ? bytes / 8 : bytes / 200;
    const parts: Buffer[] = [];
    for (let length = 0; length < size; ) {
      const text = Buffer.from(Array.from({ length: 200 }, () => word() + pick(gaps)).join(""));
      parts.push(text);
      if (random() < 0.1) parts.push(Buffer.from([0xe2, 0x80, 0xc3, 0xff].slice(Math.floor(random() * 4))));
      length += text.length;
    }
    const below = join(folder, `part${file % 7}`, file % 3 === 0 ? "deeper" : ".");
    await mkdir(below, { recursive: true });
    const content = Buffer.concat(parts);
    await writeFile(join(below, `text ${file}.txt`), content);
    written += content.length;
  }
  return folder;
}

/** A folder in which every file of another comes so many times, without taking room: more to count than a test waits for. */
export async function multiply(folder: string, times: number): Promise<string> {
  const multiplied = await realpath(await mkdtemp(join(tmpdir(), "quadrant-corpus-")));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const { name, parentPath } of entries.filter((entry) => entry.isFile())) {
    for (let i = 0; i < times; i++) await link(join(parentPath, name), join(multiplied, `${i} ${name}`));
  }
  return multiplied;
}

/** The independent program: read, match, Map. */
export async function naiveCount(folder: string, ending: string = ""): Promise<Map<string, number>> {
  const words = new Map<string, number>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(ending)) continue;
    const text = await readFile(join(entry.parentPath, entry.name), "utf8");
    for (const run of text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
      const word = run.toLowerCase();
      words.set(word, (words.get(word) ?? 0) + 1);
    }
  }
  return words;
}
