/** Counts words with DuckDB, where it is installed: `npm ci --prefix .peers`. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { duckdbPath } from "../mapreduce/duckdb.ts";
import { play } from "./role.ts";

/** Of its API what is used here. */
interface DuckDb {
  readonly DuckDBInstance: {
    create(
      path: string,
      options: Readonly<Record<string, string>>,
    ): Promise<{ connect(): Promise<{ run(sql: string): Promise<unknown> }> }>;
  };
}

interface Question {
  readonly folder: string;
  readonly out: string;
  readonly threads: number;
}

async function count({ folder, out, threads }: Question): Promise<void> {
  const path = duckdbPath();
  if (path === undefined) throw new Error("DuckDB is not installed: npm ci --prefix .peers");
  const { DuckDBInstance }: DuckDb = await import(pathToFileURL(path).href);
  const connection = await (await DuckDBInstance.create(":memory:", { threads: String(threads) })).connect();
  // Lines one by one, so that threads share the work; the quicker of its two ways to take them apart.
  const lines = `read_csv('${folder}/*.txt', columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', escape = '',
    header = false, auto_detect = false, strict_mode = false)`;
  const words = `SELECT unnest(string_split_regex(lower(line), '[^\\p{L}\\p{N}\\p{M}]+')) AS word FROM ${lines}`;
  const counts = `SELECT word, count(*) FROM (${words}) WHERE word <> '' GROUP BY word ORDER BY word`;
  await connection.run(`COPY (${counts}) TO '${join(out, "part-0")}' (FORMAT csv, DELIMITER '\t', HEADER false)`);
}

play<{ count: Question }>({ count });
