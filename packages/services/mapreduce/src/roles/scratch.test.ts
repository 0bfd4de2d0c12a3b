import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { clearScratch, removeScratch, scratchFolder } from "./scratch.ts";

const program = `
  import { mkdirSync, writeFileSync } from "node:fs";
  const { scratchFolder } = await import(${JSON.stringify(new URL("./scratch.ts", import.meta.url).href)});
  const folder = scratchFolder("mortal-0-1");
  mkdirSync(folder);
  writeFileSync(folder + "/spill", "pairs");
  process.stdout.write(folder);
  setInterval(() => undefined, 1_000);
`;

it("what a killed process has left is removed by the next, and what a living one has is not", async () => {
  const mortal = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void mortal.kill("SIGKILL"));
  const [folder] = (await once(mortal.stdout.setEncoding("utf8"), "data")) as [string];
  const own = scratchFolder("living-0-1");
  await mkdir(own);
  await writeFile(join(own, "spill"), "pairs");
  onTestFinished(() => removeScratch("living-0-1"));

  await clearScratch();
  expect([existsSync(folder), existsSync(own)]).toEqual([true, true]);
  const exited = once(mortal, "exit");
  mortal.kill("SIGKILL");
  await exited;
  await clearScratch();
  expect([existsSync(folder), existsSync(own)]).toEqual([false, true]);
});
