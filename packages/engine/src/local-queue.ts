import type { Leased, LocalQueue, QueueLetter, SendOutcome, Settled, Settlement } from "@quadrant/contract";
import type { Catalog } from "./catalog.ts";
import type { Owner } from "./owner.ts";
import type { Queue } from "./queue.ts";
import type { Setting } from "./setting.ts";

/** A mailbox as a session in this process has it: done in the turn of the call, with no promise for each letter. */
export class SessionQueue implements LocalQueue {
  readonly #setting: Setting;
  readonly #queues: Catalog<Queue>;
  readonly #owner: Owner;
  readonly #address: string;

  constructor(setting: Setting, queues: Catalog<Queue>, owner: Owner, address: string) {
    this.#setting = setting;
    this.#queues = queues;
    this.#owner = owner;
    this.#address = address;
  }

  send(letter: QueueLetter): SendOutcome {
    const now = this.#begin();
    return this.#queues.obtain(this.#address).sendSingly(letter, now);
  }

  acknowledge(leased: Leased): Settled {
    this.#begin();
    const queue = this.#queues.find(this.#address);
    return queue === undefined ? this.#noQueue() : queue.ledger.acknowledge(this.#owner, leased);
  }

  settle(settlement: Settlement): Settled {
    this.#begin();
    const queue = this.#queues.find(this.#address);
    return queue === undefined ? this.#noQueue() : queue.ledger.settle(this.#owner, [settlement])[0];
  }

  stable(changed: boolean): Promise<void> | undefined {
    const { commits } = this.#setting;
    const barrier = commits?.barrier();
    if (commits === undefined || barrier === undefined || changed) return barrier;
    return barrier.catch((cause: unknown) => {
      throw commits.unread(cause);
    });
  }

  /** That is for the driver to see to, which knows of all that a connection does. */
  turn(): undefined {}

  /** Returns the time. */
  #begin(): number {
    this.#owner.assertOpen();
    this.#setting.commits?.assertUsable();
    return this.#setting.timers.runDue();
  }

  #noQueue(): Settled {
    return this.#setting.fault("stale", `there is no mailbox ${this.#address} any more`);
  }
}
