import type { QueueInfo, Queues } from "@quadrant/contract";
import { Catalog } from "./catalog.ts";
import { SessionQueue } from "./local-queue.ts";
import type { Owner } from "./owner.ts";
import { Queue } from "./queue.ts";
import { encodeQueue } from "./queue-row.ts";
import type { Setting } from "./setting.ts";

/** The mailboxes of an engine. */
export class QueueTable {
  readonly #setting: Setting;
  readonly queues: Catalog<Queue>;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.queues = new Catalog(setting, "mailbox", (address) => new Queue(setting, address, {}), encodeQueue);
  }

  names(): string[] {
    return this.queues.names();
  }

  /** The capability as one session has it. */
  facet(owner: Owner): Queues {
    const queues = this.queues;
    return {
      open: (address, options) =>
        owner.durably(() => {
          let queue = queues.find(address);
          if (queue === undefined) {
            queue = new Queue(this.#setting, address, options);
            queues.add(address, queue);
          } else queue.assertSame(options);
          return { leaseMs: queue.terms.leaseMs };
        }),
      send: (address, letters) => owner.durably(() => queues.obtain(address).send(letters)),
      fetch: (address, request) => owner.durably(() => queues.obtain(address).ledger.fetch(owner, request)),
      settle: (address, settlements) =>
        owner.durably(() => {
          const queue = queues.find(address);
          if (queue !== undefined) return queue.ledger.settle(owner, settlements);
          return settlements.map(() => this.#setting.fault("stale", `there is no mailbox ${address} any more`));
        }),
      info: (address) =>
        owner.durably(() => queues.find(address)?.info() ?? { waiting: 0, held: 0, delayed: 0, dead: 0 }),
      peek: (address, limit) => owner.durably(() => queues.find(address)?.peek(limit) ?? []),
      deadLetters: (address, limit) => owner.durably(() => queues.find(address)?.ledger.dead.list(limit) ?? []),
      redrive: (address, request) => owner.durably(() => queues.find(address)?.ledger.redrive(request) ?? 0),
      purge: (address) => owner.durably(() => queues.find(address)?.purge() ?? 0),
      destroy: (address) => owner.durably(() => this.#destroy(address)),
      local: (address) => new SessionQueue(this.#setting, queues, owner, address),
    };
  }

  describe(): Record<string, number> {
    const total = { waiting: 0, held: 0, delayed: 0, dead: 0 };
    let fetchers = 0;
    for (const queue of this.queues) {
      const info: QueueInfo = queue.info();
      total.waiting += info.waiting;
      total.held += info.held;
      total.delayed += info.delayed;
      total.dead += info.dead;
      fetchers += queue.ledger.fetchers;
    }
    return { mailboxes: this.queues.size, ...total, fetchers };
  }

  #destroy(address: string): void {
    this.queues.remove(address)?.destroy(this.queues.destroyedError(address));
  }
}
