import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { hasWay } from "./start.ts";

export async function isDebian(): Promise<boolean> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}

async function run(command: string, ...args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn(command, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await Promise.race([
    once(child, "exit"),
    once(child, "error").then(([error]: unknown[]) => Promise.reject(error)),
  ])) as [number | null];
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}`);
}

/**
 * Where there is no broker of a kind to be had: as root on Debian or Ubuntu installs its server with apt-get, and says so.
 * Elsewhere does nothing, and `startBroker` rejects with the list of ways. For a test run's global setup.
 */
export async function installBrokers(kinds: readonly ("nats" | "redis")[]): Promise<void> {
  const missing: string[] = [];
  for (const kind of kinds) if (!(await hasWay(kind))) missing.push(`${kind}-server`);
  if (missing.length === 0 || process.getuid?.() !== 0 || !(await isDebian())) return;
  process.stderr.write(`no broker for the tests: installing ${missing.join(" and ")} with apt-get\n`);
  await run("apt-get", "update", "-qq");
  await run("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing);
}
