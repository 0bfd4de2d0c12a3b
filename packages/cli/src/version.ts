import { readFileSync } from "node:fs";

/** Of this package, in the sources and in what is built from them alike. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}
