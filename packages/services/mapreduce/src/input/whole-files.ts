import { readFile } from "node:fs/promises";
import { asRead, type Input } from "./input.ts";

/** A file and everything in it. */
export interface WholeFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Each file as one record, at offset 0. Half a gigabyte of one, or memory, is the limit. */
export const wholeFiles: Input<WholeFile> = {
  name: "whole-files",
  cut: "never",
  record: asRead,
  read: async ({ path }, take, signal) => {
    take({ path, bytes: await readFile(path, signal === undefined ? {} : { signal }) }, 0);
  },
};
