/** The repository as text: path (from the root, with slashes) to content. Rules are functions of it, so they can be tried on a planted one. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export type Repository = ReadonlyMap<string, string>;

/** Folders that tools fill; nobody writes in them. */
const generated: ReadonlySet<string> = new Set([".git", ".vitest", "node_modules", "dist", "coverage"]);
const generatedSuffixes: readonly string[] = [".log", ".tsbuildinfo"];
const read: readonly string[] = [".ts", ".json", ".md"];

/** Every file a person wrote. Only what rules look into is read; the others stand with an empty text. */
export function readRepository(root: string): Repository {
  const files = new Map<string, string>();
  const walk = (folder: string): void => {
    // A package with a lock of its own stands aside: the root neither installs nor imports it.
    if (folder !== "" && existsSync(join(root, folder, "package-lock.json"))) return;
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (generated.has(entry.name) || generatedSuffixes.some((suffix) => entry.name.endsWith(suffix))) continue;
      if (entry.isDirectory()) walk(path);
      else files.set(path, read.some((suffix) => path.endsWith(suffix)) ? readFileSync(join(root, path), "utf8") : "");
    }
  };
  walk("");
  return files;
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly type?: string;
  readonly private?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** One workspace package: its folder (`packages/drivers/memory`), its place in the layout and its manifest. */
export interface Package {
  readonly folder: string;
  readonly place: string;
  readonly manifest: Manifest;
}

export function packagesOf(repository: Repository): readonly Package[] {
  const packages: Package[] = [];
  for (const [path, text] of repository) {
    const place = /^packages\/([^/]+(?:\/[^/]+)?)\/package\.json$/.exec(path)?.[1];
    if (place !== undefined) packages.push({ folder: `packages/${place}`, place, manifest: JSON.parse(text) });
  }
  return packages;
}

export function rootManifest(repository: Repository): Manifest {
  return JSON.parse(repository.get("package.json") ?? '{"name":"","version":""}');
}

/** What runs in tests only, and is exempt from the rules on who may import whom. */
export function isTest(path: string): boolean {
  return /\.(test|test-d)\.ts$/.test(path) || /^packages\/.+\/examples\//.test(path) || path.startsWith("test/");
}

/** The TypeScript of packages, tests and build, with what it imports left out. */
export function typescriptOf(repository: Repository): readonly (readonly [path: string, text: string])[] {
  return [...repository].filter(([path]) => path.endsWith(".ts"));
}
