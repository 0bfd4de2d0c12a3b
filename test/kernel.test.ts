import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { compileKernel, kernelModule } from "../.build/kernel.ts";

it("the WebAssembly that is checked in is what its source gives", async () => {
  expect(await readFile(kernelModule, "utf8")).toBe(await compileKernel());
});
