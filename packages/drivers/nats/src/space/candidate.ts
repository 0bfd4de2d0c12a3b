import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { DriverOptions } from "@quadrant/contract";

/** What a candidate is told from the beginning. */
export interface CandidateTerms {
  readonly url: string;
  readonly options: Omit<DriverOptions, "signal">;
  readonly replicas: number;
  readonly instance: string;
  /** At which revision the seat stood so long ago. */
  readonly seen: { readonly revision: number; readonly agoMs: number } | undefined;
  /** Whether it goes on waiting for the seat where somebody else has it. */
  readonly standby: boolean;
}

export type CandidateOrder = { readonly kind: "close" } | { readonly kind: "describe" };

export type CandidateTale =
  | { readonly kind: "owner"; readonly epoch: number }
  | { readonly kind: "described"; readonly description: Readonly<Record<string, unknown>> }
  | { readonly kind: "ended"; readonly why: "lost" | "deposed" | "closed"; readonly message?: string };

/** How long a thread gets to leave in good order. */
const leaveMs = 3_000;
/** After a candidate ended without having had the seat. */
const pauseMs = 500;

/** The candidates of this process: one for each server and its credentials, however many connections there are. */
const candidates = new Map<string, Candidate>();

/** A process's claim to the seat: a thread while it stands for it or has it, and none otherwise. */
export class Candidate {
  readonly #key: string;
  readonly #url: string;
  readonly #options: DriverOptions;
  readonly #replicas: number;
  #users = 0;
  #thread: Worker | undefined;
  #notBefore = 0;
  #standby = false;
  /** Why the last one could not own the spaces, where that was no other owner. */
  failure: string | undefined;

  private constructor(key: string, url: string, options: DriverOptions, replicas: number) {
    this.#key = key;
    this.#url = url;
    this.#options = options;
    this.#replicas = replicas;
  }

  static join(url: string, options: DriverOptions, replicas: number): Candidate {
    const { auth, tls, hosts } = options;
    const key = JSON.stringify([new URL(url).host, hosts ?? null, new URL(url).username, auth ?? null, tls ?? null]);
    let candidate = candidates.get(key);
    if (candidate === undefined) {
      candidate = new Candidate(key, url, options, replicas);
      candidates.set(key, candidate);
    }
    candidate.#users++;
    return candidate;
  }

  get standing(): boolean {
    return this.#thread !== undefined;
  }

  /** Stands for the seat, unless it does so already. */
  stand(seen: CandidateTerms["seen"], standby: boolean): void {
    this.#standby ||= standby;
    if (this.#thread !== undefined || performance.now() < this.#notBefore) return;
    const { name, hosts, requestTimeoutMs, timeoutMs, maxPayloadBytes, outboxBytes, auth, tls } = this.#options;
    const options = { name: `${name} (tuple spaces)`, hosts, timeoutMs, maxPayloadBytes, outboxBytes, auth, tls };
    const terms: CandidateTerms = {
      url: this.#url,
      options: { ...options, requestTimeoutMs: Math.max(1_000, Math.min(5_000, requestTimeoutMs)) },
      replicas: this.#replicas,
      instance: randomUUID(),
      seen,
      standby: this.#standby,
    };
    const thread = new Worker(new URL("./owner-thread.ts", import.meta.url), {
      workerData: terms,
      name: "quadrant spaces",
      execArgv: ["--disable-warning=ExperimentalWarning"],
      // What is young is mostly answered by the time it is looked at; of a journal that is read nearly all stays.
      resourceLimits: { maxYoungGenerationSizeMb: 128 },
    });
    thread.unref();
    this.#thread = thread;
    const over = (): void => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#notBefore = performance.now() + pauseMs;
    };
    thread.on("message", (tale: CandidateTale) => {
      if (tale.kind === "owner") this.failure = undefined;
      if (tale.kind !== "ended") return;
      this.failure = tale.message;
      over();
    });
    thread.on("error", (error) => {
      this.failure = String(error);
      over();
    });
    thread.on("exit", over);
  }

  /** With the last user the seat is given up. */
  async leave(): Promise<void> {
    if (--this.#users > 0) return;
    if (candidates.get(this.#key) === this) candidates.delete(this.#key);
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#thread = undefined;
    thread.ref();
    const exited = once(thread, "exit").catch(() => undefined);
    thread.postMessage({ kind: "close" } satisfies CandidateOrder);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, leaveMs);
    });
    await Promise.race([exited, late]);
    clearTimeout(timer);
    await thread.terminate();
  }
}
