import type { Sample, Scale } from "../case.ts";
import { gauge } from "../gauge.ts";
import { Scope } from "../scope.ts";

/** What node:sqlite does alone, on the same disk: the floor of everything that is durable. Letters a second. */
export function measureSqlite(
  table: { readonly bytes: number; readonly perCommit: number },
  scale: Scale,
): Promise<Sample> {
  return Scope.within(async (scope) => {
    const folder = await scope.folder();
    const sqlite = await scope.role("sqlite");
    await sqlite.ask("open", { ...table, folder });
    const { perSecond, cores } = await gauge(scope, scale, sqlite, "mark");
    await sqlite.ask("stop");
    return { value: perSecond, cores };
  });
}
