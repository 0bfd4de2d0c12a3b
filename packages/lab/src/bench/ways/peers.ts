/**
 * What users would pick instead. They live in a package of their own, which is not installed with Quadrant: it is loaded by its
 * address, once the benchmark has installed it.
 */
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Errand } from "../caller.ts";
import type { OpenInlet } from "../consumer.ts";
import type { Outlet } from "../producer.ts";

const folder = new URL("../../../../../.peers/", import.meta.url);

/** A framework with events and calls. */
interface Framework {
  emitting(url: string): Promise<Outlet>;
  listening(url: string): OpenInlet;
  serving(url: string): Promise<void>;
  calls(url: string, bytes: number): Promise<Errand>;
}

interface JobQueue {
  adding(url: string): Promise<Outlet>;
  working(url: string): OpenInlet;
}

function load<T>(name: string): () => Promise<T> {
  return () => import(new URL(`src/${name}.ts`, folder).href);
}

export const peers: {
  moleculer(): Promise<Framework>;
  nest(): Promise<Framework>;
  bullmq(): Promise<JobQueue>;
} = {
  moleculer: load<Framework>("moleculer"),
  nest: load<Framework>("nest"),
  bullmq: load<JobQueue>("bullmq"),
};

let installed: Promise<void> | undefined;

async function install(): Promise<void> {
  const present = await access(new URL("node_modules/.package-lock.json", folder)).then(
    () => true,
    () => false,
  );
  if (present) return;
  const argv = ["ci", "--workspaces=false", "--ignore-scripts", "--no-audit", "--no-fund"];
  await promisify(execFile)("npm", argv, { cwd: fileURLToPath(folder) });
}

/** Installs them where they are not. Rejects with npm's own words when that fails. */
export function installPeers(): Promise<void> {
  installed ??= install();
  return installed;
}
