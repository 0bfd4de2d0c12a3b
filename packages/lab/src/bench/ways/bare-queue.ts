import type { OpenInlet } from "../consumer.ts";
import type { Outlet } from "../producer.ts";

/**
 * The least that send → receive → acknowledge can cost in one process: JSON both ways, a promise for each of the three,
 * and an array. No leases, no names, no order among senders, nothing that could fail.
 */
export class BareQueue {
  readonly outlet: Outlet;
  readonly inlet: OpenInlet;
  #letters: string[] = [];
  #waiting: PromiseWithResolvers<void> | undefined;
  #closed = false;

  constructor() {
    this.outlet = { put: (payload) => this.#send(JSON.stringify(payload)), close: async () => undefined };
    this.inlet = async (consumer) => {
      const reading = this.#read(consumer);
      return {
        close: async () => {
          this.#closed = true;
          this.#waiting?.resolve();
          await reading;
        },
      };
    };
  }

  async #send(letter: string): Promise<void> {
    this.#letters.push(letter);
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  async #receive(letter: string): Promise<unknown> {
    return JSON.parse(letter);
  }

  async #ack(): Promise<void> {}

  async #read(consumer: Parameters<OpenInlet>[0]): Promise<void> {
    while (!this.#closed) {
      const letters = this.#letters;
      this.#letters = [];
      for (const letter of letters) {
        if (consumer.take(await this.#receive(letter))) void this.#ack().then(() => consumer.settle());
      }
      if (this.#letters.length > 0) continue;
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
    }
  }
}
