import type { Manifest } from "./workspace.ts";

/** What npm needs to know of a package; the rest of the manifest is for those who work on it. */
const dropped: ReadonlySet<string> = new Set(["devDependencies", "scripts"]);

/** In the repository exports lead to the sources, which run as they are; in the published package to what was built from them. */
export function publishedManifest(manifest: Manifest): Manifest {
  const kept = Object.entries(manifest).filter(([field]) => !dropped.has(field));
  const exports = Object.entries(manifest.exports ?? {}).map(([subpath, source]) => [
    subpath,
    { types: built(source, ".d.ts"), default: built(source, ".js") },
  ]);
  const bin = Object.entries(manifest.bin ?? {}).map(([name, source]) => [name, built(source, ".js")]);
  return {
    ...(Object.fromEntries(kept) as Manifest),
    exports: { ...Object.fromEntries(exports), "./package.json": "./package.json" },
    ...(bin.length > 0 ? { bin: Object.fromEntries(bin) } : {}),
    files: ["dist", "README.md", "NOTICE"],
    publishConfig: { access: "public" },
  };
}

function built(source: string, extension: ".js" | ".d.ts"): string {
  const name = /^\.\/src\/(.+)\.ts$/.exec(source)?.[1];
  if (name === undefined) throw new Error(`${source} is not a source: an export leads to ./src/*.ts`);
  return `./dist/${name}${extension}`;
}
