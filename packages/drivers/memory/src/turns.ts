/** After so many operations a connection lets the rest of the process have a turn. */
const operationsPerTurn = 256;

/**
 * Keeps a connection from starving its process. An engine answers in the same turn, so a loop that awaits it would never
 * let timers, signals or sockets have theirs: now and then an answer comes a turn later. The operation has been done by
 * then all the same.
 */
export class Turns {
  #operations = 0;

  /** A promise of a later turn, now and then. */
  take(): Promise<void> | undefined {
    if (++this.#operations % operationsPerTurn !== 0) return undefined;
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** The capability, its methods taking part. */
  pace<C extends object>(capability: C): C {
    const methods = Object.entries(capability).map(([name, method]: [string, (...args: unknown[]) => unknown]) => {
      const paced = (...args: unknown[]): unknown => {
        const answer = method(...args);
        const turn = answer instanceof Promise ? this.take() : undefined;
        return turn === undefined ? answer : (answer as Promise<unknown>).then((value) => turn.then(() => value));
      };
      return [name, paced];
    });
    return Object.fromEntries(methods) as C;
  }
}
