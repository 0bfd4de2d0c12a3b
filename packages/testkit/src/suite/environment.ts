import type { ConnectOptions } from "@quadrant/contract";

/** What can be done to a broker. Each resolves once it has happened. */
export interface Broker {
  /** It lives but does nothing: SIGSTOP. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** It is gone without a goodbye: SIGKILL. */
  kill(): Promise<void>;
  /** It is there again, at the same address; what it did not keep on disk is gone. */
  restart(): Promise<void>;
}

/** Where the clauses run. */
export interface Environment {
  readonly url: string;
  /** For every connection of the suite. */
  readonly options?: ConnectOptions | undefined;
  /** Of the broker's server, for reports; undefined where there is none. */
  readonly version?: string | undefined;
  /** Present where faults can be injected. */
  readonly broker?: Broker | undefined;
  close(): Promise<void>;
}

/** Called twice: for the clauses that leave the broker alone, and for those that do not. */
export type OpenEnvironment = () => Promise<Environment>;
