import type { Template, TupleSpace } from "@quadrant/contract";
import type { Command } from "commander";
import type { OpenSession } from "../session.ts";
import { configureQuery } from "../tuple-query.ts";

const batchSize = 1_000;

async function* takeAll(space: TupleSpace, template: Template): AsyncGenerator<readonly unknown[]> {
  // As many as there are now, counted first: a space that is filled while this runs would keep it going.
  let left = await space.count(template);
  while (left > 0) {
    const batch = await space.inMany(template, { max: Math.min(left, batchSize) });
    if (batch.length === 0) return;
    left -= batch.length;
    yield batch;
  }
}

export function configure(command: Command, open: OpenSession): void {
  configureQuery(command, open, {
    verb: "taken",
    wait: (space, template, wait) => space.in(template, wait),
    now: (space, template) => space.inp(template),
    all: takeAll,
  });
}
