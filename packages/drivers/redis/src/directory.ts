/** What was heard of servers is good for so long: one that joins gets calls of busy callers after this time at the latest. */
const knownMs = 1_000;
/** So many addresses are remembered. */
const maxAddresses = 10_000;

interface Entry {
  readonly servers: readonly string[];
  readonly until: number;
  next: number;
}

/** Who serves what, as far as it was heard a moment ago: whoever has left since passes a call on. */
export class Directory {
  readonly #entries = new Map<string, Entry>();

  heard(address: string, servers: readonly string[]): void {
    this.#entries.delete(address);
    if (servers.length === 0) return;
    if (this.#entries.size >= maxAddresses) this.#entries.delete(this.#entries.keys().next().value!);
    const next = Math.floor(Math.random() * servers.length);
    this.#entries.set(address, { servers, until: performance.now() + knownMs, next });
  }

  /** The server whose turn it is; undefined where it has to be asked for. */
  next(address: string): string | undefined {
    const entry = this.#entries.get(address);
    if (entry === undefined) return undefined;
    if (performance.now() >= entry.until) {
      this.#entries.delete(address);
      return undefined;
    }
    entry.next = (entry.next + 1) % entry.servers.length;
    return entry.servers[entry.next];
  }

  forget(address: string): void {
    this.#entries.delete(address);
  }

  clear(): void {
    this.#entries.clear();
  }
}
