import type { Connection } from "./connection.ts";

/** One view of the page, until `signal` aborts. */
export interface Scene {
  readonly title: string;
  readonly element: HTMLElement;
}

export interface Stage {
  readonly connection: Connection;
  /** Aborts when another view takes its place. */
  readonly signal: AbortSignal;
}
