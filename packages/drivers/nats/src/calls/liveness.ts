import type { NatsConnection } from "../connection.ts";
import { readHeaders } from "../wire-headers.ts";

const everyMs = 500;
const nothing = new Uint8Array(0);

interface Watched {
  readonly gone: Set<() => void>;
  asking: boolean;
}

/**
 * Whether those whose calls last are still there. NATS tells nobody that a client has gone; but what is sent to a subject that
 * nobody listens to is answered at once: so each is asked now and then, once for all its calls.
 */
export class Liveness {
  readonly #connection: NatsConnection;
  readonly #watched = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** `gone` is called when nobody listens there any more; returns what ends the watch. */
  watch(subject: string, gone: () => void): () => void {
    let watched = this.#watched.get(subject);
    if (watched === undefined) {
      watched = { gone: new Set(), asking: false };
      this.#watched.set(subject, watched);
    }
    watched.gone.add(gone);
    this.#timer ??= setInterval(() => this.#askAll(), everyMs).unref();
    return () => {
      watched.gone.delete(gone);
      if (watched.gone.size > 0 || this.#watched.get(subject) !== watched) return;
      this.#watched.delete(subject);
      if (this.#watched.size === 0) this.close();
    };
  }

  #askAll(): void {
    if (!this.#connection.connected) return;
    for (const [subject, watched] of this.#watched) if (!watched.asking) void this.#ask(subject, watched);
  }

  async #ask(subject: string, watched: Watched): Promise<void> {
    watched.asking = true;
    try {
      const answer = await this.#connection.request("liveness", subject, nothing);
      const block = answer.headers;
      if (block === undefined || readHeaders(block).status !== 503) return;
      for (const gone of [...watched.gone]) gone();
    } catch {
      // The server does not answer: what that means for a call, its deadline decides.
    } finally {
      watched.asking = false;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watched.clear();
  }
}
