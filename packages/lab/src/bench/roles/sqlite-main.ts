/** A table as a queue: appends so many rows in one transaction, reads and deletes as many in the next, and so on. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate as turn } from "node:timers/promises";
import { payloadMaker } from "../payload.ts";
import { play } from "./role.ts";

export interface Table {
  readonly folder: string;
  readonly bytes: number;
  readonly perCommit: number;
}

let count = 0;
let stopped = false;
let running: Promise<void> = Promise.resolve();

async function run({ folder, bytes, perCommit }: Table): Promise<void> {
  const database = new DatabaseSync(join(folder, "floor.db"));
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE letter (seq INTEGER PRIMARY KEY, body TEXT NOT NULL)");
  const append = database.prepare("INSERT INTO letter (body) VALUES (?)");
  const read = database.prepare("SELECT seq, body FROM letter ORDER BY seq LIMIT ?");
  const remove = database.prepare("DELETE FROM letter WHERE seq = ?");
  const make = payloadMaker(bytes);
  while (!stopped) {
    database.exec("BEGIN");
    for (let each = 0; each < perCommit; each++) append.run(JSON.stringify(make(count + each)));
    database.exec("COMMIT");
    database.exec("BEGIN");
    for (const { seq, body } of read.all(perCommit)) {
      JSON.parse(String(body));
      remove.run(seq!);
    }
    database.exec("COMMIT");
    count += perCommit;
    await turn();
  }
  database.close();
}

play<{ open: Table; mark: undefined; stop: undefined }>({
  open: (table) => {
    running = run(table);
    running.catch(() => undefined);
  },
  mark: () => ({ count, atMs: performance.now() }),
  stop: async () => {
    stopped = true;
    await running;
  },
});
