import type { Command } from "commander";
import type { OpenSession } from "../session.ts";
import { configureQuery } from "../tuple-query.ts";

export function configure(command: Command, open: OpenSession): void {
  configureQuery(command, open, {
    verb: "read",
    wait: (space, template, wait) => space.rd(template, wait),
    now: (space, template) => space.rdp(template),
    async *all(space, template) {
      yield await space.rdAll(template);
    },
  });
}
