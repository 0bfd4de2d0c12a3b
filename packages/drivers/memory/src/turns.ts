import type { Answer, LocalQueue } from "@quadrant/contract";

/** After so many operations a connection lets the rest of the process have a turn. */
const operationsPerTurn = 256;
/** Of operations that take less than a microsecond. */
const lettersPerTurn = 1_024;

/**
 * Keeps a connection from starving its process. An engine answers in the same turn, so a loop that awaits it would never
 * let timers, signals or sockets have theirs: now and then an answer comes a turn later. The operation has been done by
 * then all the same.
 */
export class Turns {
  #operations = 0;
  #letters = 0;
  #next: Promise<void> | undefined;

  /** A promise of a later turn, now and then. */
  take(): Promise<void> | undefined {
    if (++this.#operations % operationsPerTurn !== 0) return undefined;
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** The answer, in a later turn now and then. */
  answer<T>(answer: Answer<T>): Answer<T> {
    const turn = this.take();
    if (turn === undefined) return answer;
    // A failure comes at once: one that waited for its turn would have no listener until then.
    return answer instanceof Promise ? answer.then((value) => turn.then(() => value)) : turn.then(() => answer);
  }

  /** As `take`, of what many do side by side: once there were so many, all have to wait for the next turn. */
  #takeTogether(letters: number): Promise<void> | undefined {
    this.#letters += letters;
    return this.#letters < lettersPerTurn ? undefined : (this.#next ?? this.#nextTurn());
  }

  #nextTurn(): Promise<void> {
    this.#next = new Promise((resolve) => {
      setImmediate(() => {
        this.#next = undefined;
        this.#letters = 0;
        resolve();
      });
    });
    return this.#next;
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

  /** An answer that counts as so many operations as there are in it: those who get them do as many in a row. */
  async paceMany<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
    const all = await answer;
    const turn = this.#takeTogether(all.length);
    if (turn !== undefined) await turn;
    return all;
  }

  /** The same for what answers without promises. */
  paceLocal(queue: LocalQueue): LocalQueue {
    return {
      send: (letter) => queue.send(letter),
      acknowledge: (leased) => queue.acknowledge(leased),
      settle: (settlement) => queue.settle(settlement),
      stable: (changed) => queue.stable(changed),
      turn: () => this.#takeTogether(1),
    };
  }
}
