import { createRequire } from "node:module";

/** What only benchmarks need is no dependency of the repository: see the manifest there. */
const peers = createRequire(new URL("../../../../../.peers/package.json", import.meta.url));

/** Where DuckDB's module is; undefined where it is not installed. */
export function duckdbPath(): string | undefined {
  try {
    return peers.resolve("@duckdb/node-api");
  } catch {
    return undefined;
  }
}
