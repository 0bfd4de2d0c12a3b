import { readFileSync } from "node:fs";

/** What is kept: letters of a mailbox, entries of a log, tuples of a space. */
export type Kind = "letters" | "entries" | "tuples";
export const kinds: readonly Kind[] = ["letters", "entries", "tuples"];

/**
 * What an actor notes down, a line each: it began to put numbers up to n; put n (of an entry with its sequence); was refused
 * n; does not know about n; got n, as it was put or not; settled n, or took it for good; does not know whether it settled n.
 */
export type Note =
  | readonly ["began" | "refused" | "unknown" | "altered" | "got" | "settled" | "doubted", number]
  | readonly ["put", number, number];

export function readNotes(file: string): Note[] {
  const notes: Note[] = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    // A killed actor may have left half a line at the end.
    const [what, ...numbers] = line.split(" ");
    if (line.endsWith(".")) notes.push([what, ...numbers.slice(0, -1).map(Number)] as unknown as Note);
  }
  return notes;
}

export function noteLine(note: Note): string {
  return `${note.join(" ")} .\n`;
}

/** The text that goes with a number: whoever gets it can tell whether it was altered. */
export function textOf(n: number): string {
  return `${n}-`.repeat(1 + (n % 12)).padEnd(60 + (n % 50), "·");
}

/** Of a hundred letters one is rejected: it is to be found among the dead letters, once. */
export function isBad(n: number): boolean {
  return n % 97 === 0;
}

/** What is to be said of a run. */
export interface Verdict {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly refused: number;
  /** Acknowledged, and neither got nor there. */
  readonly lost: number;
  /** Taken, by an actor that was killed before it could say so: at most one for each take under way at a kill. */
  readonly takenUnsaid: number;
  readonly altered: number;
  /** Got again after its settlement was acknowledged, or got though it was refused. */
  readonly resurrected: number;
  /** Got again, its settlement not being acknowledged. */
  readonly repeated: number;
}

/** `takesUnsaid`: how many takes may have happened without a note. */
export function judge(notes: readonly Note[], takesUnsaid: number): Verdict {
  const put = new Set<number>();
  const refused = new Set<number>();
  const got = new Set<number>();
  const settled = new Set<number>();
  let [unknown, altered, resurrected, repeated] = [0, 0, 0, 0];
  for (const [what, n] of notes) {
    if (what === "put") put.add(n);
    else if (what === "refused") refused.add(n);
    else if (what === "unknown") unknown++;
    else if (what === "altered") altered++;
    else if (what === "settled") settled.add(n);
    else if (what === "got") {
      if (settled.has(n)) resurrected++;
      else if (got.has(n)) repeated++;
      got.add(n);
    }
  }
  for (const n of refused) if (got.has(n)) resurrected++;
  const missing = [...put].filter((n) => !got.has(n)).length;
  const takenUnsaid = Math.min(missing, takesUnsaid);
  return {
    acknowledged: put.size,
    unknown,
    refused: refused.size,
    lost: missing - takenUnsaid,
    takenUnsaid,
    altered,
    resurrected,
    repeated,
  };
}
