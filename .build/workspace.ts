/** The packages of the workspace that can be published: all that are not private. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export const root: string = dirname(import.meta.dirname);

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

export interface WorkspacePackage {
  /** From the root: `packages/drivers/memory`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

export function publishablePackages(): readonly WorkspacePackage[] {
  const folders = (within: string): readonly string[] =>
    readdirSync(join(root, within), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${within}/${entry.name}`);
  return folders("packages")
    .flatMap((folder) => [folder, ...folders(folder)])
    .filter((folder) => existsSync(join(root, folder, "package.json")))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => manifest.private !== true);
}
