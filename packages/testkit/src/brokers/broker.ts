import { HubProcess } from "./hub-process.ts";

/** A broker that was started for a test, as a process of its own. Disposing it ends it. */
export interface StartedBroker extends AsyncDisposable {
  readonly url: string;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it without a goodbye: SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again at the same URL; one that runs is stopped first. What it did not keep on disk is gone. */
  restart(): Promise<void>;
  /** Resolves once it stands still: SIGSTOP. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** Starts a broker of the kind on a free port. */
export async function startBroker(kind: "zeromq"): Promise<StartedBroker> {
  switch (kind) {
    case "zeromq":
      return HubProcess.start();
  }
}
