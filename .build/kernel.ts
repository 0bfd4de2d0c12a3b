/**
 * `npm run kernel`: compiles the counting loop of MapReduce from AssemblyScript to WebAssembly, and writes it as a module of
 * base64, so that it travels with the sources and needs no file beside them. test/kernel.test.ts holds the two together.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import { root } from "./workspace.ts";

const folder = join(root, "packages/services/mapreduce/src/kernel");
const source = join(folder, "count-table.as");
export const kernelModule: string = join(folder, "count-table-binary.ts");

/** The text of the module that the source gives. */
export async function compileKernel(): Promise<string> {
  const text = await readFile(source, "utf8");
  let binary = new Uint8Array();
  const options = [
    "--runtime",
    "stub",
    "--noAssert",
    "-O3",
    "--initialMemory",
    "4",
    "--enable",
    "simd,bulk-memory",
    "--use",
    "abort=",
  ];
  const { error, stderr } = await asc.main(["count-table.ts", "--outFile", "count-table.wasm", ...options], {
    readFile: (name) => (name === "count-table.ts" ? text : null),
    writeFile: (_name, contents) => {
      if (typeof contents !== "string") binary = Uint8Array.from(contents);
    },
    listFiles: () => [],
  });
  if (error !== null) throw new Error(`${stderr.toString()}${error.message}`);
  const base64 = Buffer.from(binary).toString("base64");
  return `/** Made of count-table.as by \`npm run kernel\`: WebAssembly in base64. */\nexport const countTableBinary =\n  "${base64}";\n`;
}

if (import.meta.main) await writeFile(kernelModule, await compileKernel());
