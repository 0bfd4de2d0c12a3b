let serial = 0;

/** A name that no other worker has. */
export function newWorkerName(node: string, slot: number): string {
  return `${node}-${slot}-${process.pid}-${++serial}`;
}

/** The node of a worker by its name. */
export function nodeOf(worker: string): string {
  return worker.split("-").slice(0, -3).join("-");
}
