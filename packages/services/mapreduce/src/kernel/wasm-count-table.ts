import type { CountedPartition, CountTable } from "./count-table.ts";
import { countTableBinary } from "./count-table-binary.ts";

/** Of the runtime's WebAssembly what is used here; its types come with those of browsers only. */
declare namespace WebAssembly {
  class Module {
    constructor(binary: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: unknown;
  }
}

/** What count-table.as exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  start(words: number): void;
  blockAt(bytes: number): number;
  foldedAt(bytes: number): number;
  countWords(bytes: number): void;
  addPairs(bytes: number): number;
  drain(partitions: number): number;
  marksAt(): number;
  cursorsAt(): number;
}

const firstWords = 1 << 14;
const wordCharacter = /[\p{L}\p{N}\p{M}]/u;

let compiled: WebAssembly.Module | undefined;

export function openWasmCountTable(): CountTable {
  compiled ??= new WebAssembly.Module(Buffer.from(countTableBinary, "base64"));
  return new WasmCountTable(compiled);
}

class WasmCountTable implements CountTable {
  readonly #exports: Exports;
  #memory = Buffer.alloc(0);

  constructor(module: WebAssembly.Module) {
    const env = {
      classify: (page: number, at: number) => this.#classify(page, at),
      lowerCase: (at: number, length: number) => this.#lowerCase(at, length),
    };
    this.#exports = new WebAssembly.Instance(module, { env }).exports as Exports;
    this.#exports.start(firstWords);
  }

  get heldBytes(): number {
    return this.#bytes().length;
  }

  countWords(text: Uint8Array): void {
    const at = this.#exports.blockAt(text.length);
    this.#bytes().set(text, at);
    this.#exports.countWords(text.length);
  }

  addPairs(block: Uint8Array): number {
    const at = this.#exports.blockAt(block.length);
    this.#bytes().set(block, at);
    return this.#exports.addPairs(block.length);
  }

  drain(partitions: number): readonly CountedPartition[] {
    const count = this.#exports.drain(partitions);
    const bytes = this.#bytes();
    const cursors = new Uint32Array(bytes.buffer, this.#exports.cursorsAt(), partitions * 4);
    const marks = new Uint32Array(bytes.buffer, this.#exports.marksAt(), count * 3);
    const blocks = Array.from({ length: partitions }, (): Buffer[] => []);
    for (let at = 0; at < marks.length; at += 3) {
      blocks[marks[at]!]!.push(bytes.subarray(marks[at + 1], marks[at + 2]));
    }
    return blocks.map((each, partition) => ({ pairs: cursors[partition * 4 + 3]!, blocks: each }));
  }

  /** The memory moves when it grows. */
  #bytes(): Buffer {
    const { buffer } = this.#exports.memory;
    if (this.#memory.buffer !== buffer) this.#memory = Buffer.from(buffer);
    return this.#memory;
  }

  #classify(page: number, at: number): void {
    const bytes = this.#bytes();
    for (let low = 0; low < 256; low++) {
      // A lone surrogate, which no UTF-8 says, is in none of the classes.
      if (wordCharacter.test(String.fromCodePoint(page * 256 + low))) bytes[at + (low >> 3)]! |= 1 << (low & 7);
    }
  }

  #lowerCase(at: number, length: number): number {
    const word = this.#bytes().toString("utf8", at, at + length);
    const lower = word.toLowerCase();
    if (lower === word) return 0;
    const room = lower.length * 3;
    const into = this.#exports.foldedAt(room);
    return this.#bytes().write(lower, into, room);
  }
}
