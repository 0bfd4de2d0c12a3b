import { controlKey } from "./link/session.ts";
import { registryKey } from "./names.ts";
import type { Requests } from "./requests.ts";
import { listOf, textOf } from "./resp/reply-reader.ts";
import { addName, listNames, removeName } from "./scripts/names.ts";

/** How many things that were opened are remembered; beyond it the oldest are made anew with defaults. */
const maxOpened = 10_000;

type Kind = "mailbox" | "log" | "space" | "blobs";

/** How things were opened, so that they are made alike on a server that has lost them; and the names there are. */
export class Openings {
  readonly #requests: Requests;
  readonly #opened = new Map<string, () => Promise<unknown>>();

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  opened(key: string, again: () => Promise<unknown>): void {
    this.#opened.delete(key);
    if (this.#opened.size >= maxOpened) this.#opened.delete(this.#opened.keys().next().value!);
    this.#opened.set(key, again);
  }

  destroyed(key: string): void {
    this.#opened.delete(key);
  }

  /** Makes it as it was opened here, or with defaults. */
  again(key: string, plain: () => Promise<unknown>): Promise<unknown> {
    return (this.#opened.get(key) ?? plain)();
  }

  /** The registry that the script that makes a thing is to name it in; "" where it was named before: in a cluster. */
  async register(kind: Kind, name: string): Promise<string> {
    const registry = registryKey(kind);
    if (!this.#requests.clustered) return registry;
    await this.#requests.run(addName, controlKey, [registry, name], { what: `open ${kind} ${name}`, writes: false });
    return "";
  }

  /** The registry that the script that ends a thing is to strike it from; "" in a cluster. */
  registry(kind: Kind): string {
    return this.#requests.clustered ? "" : registryKey(kind);
  }

  /** In a cluster: once it is gone. */
  async deregister(kind: Kind, name: string): Promise<void> {
    if (!this.#requests.clustered) return;
    const values = [registryKey(kind), name];
    await this.#requests.run(removeName, controlKey, values, { what: `destroy ${kind} ${name}`, writes: false });
  }

  async names(kind: Kind): Promise<readonly string[]> {
    const terms = { what: `list of ${kind}`, writes: false };
    const reply = await this.#requests.run(listNames, controlKey, [registryKey(kind)], terms);
    return listOf(reply).map(textOf).sort();
  }
}
