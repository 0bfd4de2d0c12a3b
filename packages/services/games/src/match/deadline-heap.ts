export interface Deadline {
  readonly at: number;
  readonly key: string;
}

/** The earliest deadline first. Those that no longer hold stay until their time: whoever pops them judges. */
export class DeadlineHeap {
  readonly #heap: Deadline[] = [];

  first(): Deadline | undefined {
    return this.#heap[0];
  }

  push(at: number, key: string): void {
    const heap = this.#heap;
    let hole = heap.length;
    heap.push({ at, key });
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      if (heap[above]!.at <= at) break;
      heap[hole] = heap[above]!;
      hole = above;
    }
    heap[hole] = { at, key };
  }

  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let hole = 0;
    for (;;) {
      let below = 2 * hole + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below += 1;
      if (heap[below]!.at >= last.at) break;
      heap[hole] = heap[below]!;
      hole = below;
    }
    heap[hole] = last;
  }
}
