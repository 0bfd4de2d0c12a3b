import type { StartedBroker } from "./broker.ts";
import type { ServerPlan } from "./server.ts";

/** Servers that are started at once. */
export interface Stage {
  readonly servers: readonly ServerPlan[];
  /** Whenever they have been started: joins them where they do not do so by themselves, resolves once they serve as one. */
  settle?(): Promise<void>;
}

/** The servers that make a broker. */
export interface Formation {
  /** Started one after the other. */
  readonly stages: readonly Stage[];
  readonly url: string;
  readonly options: StartedBroker["options"];
  /** Takes back what was put on this machine beside its servers. */
  remove?(): Promise<void>;
}
