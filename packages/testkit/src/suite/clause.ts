import type { Scene } from "./scene.ts";

/** One promise that every driver keeps, and the test of it. */
export interface Clause {
  /** Stable: exemptions name it. "concern/what". */
  readonly id: string;
  /** The promise in one sentence. */
  readonly promise: string;
  /** What the environment must offer beyond a URL. */
  readonly needs: "nothing" | "broker" | "durable broker";
  run(scene: Scene): Promise<void>;
}

export function clause(id: string, promise: string, run: (scene: Scene) => Promise<void>): Clause {
  return { id, promise, needs: "nothing", run };
}

/** A clause that pauses, kills or restarts the broker. */
export function faultClause(id: string, promise: string, run: (scene: Scene) => Promise<void>): Clause {
  return { id, promise, needs: "broker", run };
}

/** A clause that kills the broker and counts on what it has kept. */
export function durableClause(id: string, promise: string, run: (scene: Scene) => Promise<void>): Clause {
  return { id, promise, needs: "durable broker", run };
}
