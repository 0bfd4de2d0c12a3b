import type { Logs } from "@quadrant/contract";
import { Catalog } from "./catalog.ts";
import { encodeLog, Log } from "./log.ts";
import type { Owner } from "./owner.ts";
import type { Setting } from "./setting.ts";

const empty = { first: 1, last: 0, count: 0, bytes: 0 } as const;

/** The logs of an engine. */
export class LogTable {
  readonly #setting: Setting;
  readonly logs: Catalog<Log>;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.logs = new Catalog(setting, "log", (name) => new Log(setting, name, {}), encodeLog);
  }

  names(): string[] {
    return this.logs.names();
  }

  /** The capability as one session has it. */
  facet(owner: Owner): Logs {
    const logs = this.logs;
    return {
      open: (name, limits) =>
        owner.durably(() => {
          const found = logs.find(name);
          if (found === undefined) logs.add(name, new Log(this.#setting, name, limits));
          else found.assertSame(limits);
        }),
      append: (name, entry) => owner.durably(() => logs.obtain(name).append(entry)),
      read: (name, request) => owner.durably(() => logs.obtain(name).read(owner, request)),
      last: (name, subject) => owner.durably(() => logs.find(name)?.last(subject)),
      info: (name) => owner.durably(() => logs.find(name)?.info() ?? empty),
      destroy: (name) => owner.durably(() => logs.remove(name)?.destroy(logs.destroyedError(name))),
      openDurable: (name, spec) => owner.durably(() => logs.obtain(name).openDurable(spec)),
      fetch: (name, durable, request) =>
        owner.durably(() => logs.obtain(name).durable(durable).ledger.fetch(owner, request)),
      settle: (name, durable, settlements) =>
        owner.durably(() => {
          const found = logs.find(name)?.durables.get(durable);
          if (found !== undefined) return found.ledger.settle(owner, settlements);
          return settlements.map(() =>
            this.#setting.fault("stale", `there is no durable ${durable} of ${name} any more`),
          );
        }),
      deadLetters: (name, durable, limit) =>
        owner.durably(() => logs.find(name)?.durables.get(durable)?.ledger.dead.list(limit) ?? []),
      redrive: (name, durable, request) =>
        owner.durably(() => logs.find(name)?.durables.get(durable)?.ledger.redrive(request) ?? 0),
    };
  }

  describe(): Record<string, number> {
    const total = {
      logs: this.logs.size,
      entries: 0,
      bytes: 0,
      durables: 0,
      held: 0,
      delayed: 0,
      dead: 0,
      followers: 0,
    };
    for (const log of this.logs) {
      const { count, bytes } = log.info();
      total.entries += count;
      total.bytes += bytes;
      total.durables += log.durables.size;
      total.followers += log.followers;
      for (const { ledger } of log.durables.values()) {
        total.held += ledger.held;
        total.delayed += ledger.delayed;
        total.dead += ledger.dead.size;
        total.followers += ledger.fetchers;
      }
    }
    return total;
  }
}
