/** A Chromium for the tests of the page: this machine's, or Debian's, installed where there is none. */
import { execFile } from "node:child_process";
import { access, constants, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** QUADRANT_CHROMIUM, or the first on PATH; undefined where there is none. */
export async function findChromium(): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const given = process.env.QUADRANT_CHROMIUM;
  const paths = given === undefined ? folders.flatMap((folder) => names.map((name) => join(folder, name))) : [given];
  for (const path of paths) {
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/** As root on Debian or Ubuntu installs it with apt-get, where there is none, and says so; elsewhere does nothing. */
export async function installChromium(): Promise<void> {
  if ((await findChromium()) !== undefined || process.getuid?.() !== 0) return;
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release)) return;
  process.stderr.write("no browser for the tests: installing chromium with apt-get\n");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { env });
}

export async function assertChromium(): Promise<string> {
  const path = await findChromium();
  if (path !== undefined) return path;
  throw new Error("no Chromium: put one on PATH, name it by QUADRANT_CHROMIUM, or run the tests as root on Debian");
}
