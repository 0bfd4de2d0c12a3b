import type { Asked, Failure, Told } from "../protocol.ts";

export type LinkState = "connecting" | "connected" | "busless" | "lost";

/** What the server, or the bus behind it, did not do. */
export class Refused extends Error {
  readonly code: string;
  constructor({ code, message }: Failure) {
    super(message);
    this.code = code;
  }
}

interface Open {
  /** What to ask, anew after each reconnect. */
  readonly asked: () => Asked;
  readonly told: (told: Told) => void;
  /** Asked again after a reconnect; else it fails with the connection. */
  readonly again: boolean;
}

const firstWaitMs = 250;
const longestWaitMs = 5_000;
/** Three beats of the server. */
const silenceMs = 15_500;

/** The page's one WebSocket: comes back by itself, and asks again for what was open. */
export class Connection {
  #socket: WebSocket | undefined;
  #open = new Map<number, Open>();
  #lastId = 0;
  #failures = 0;
  #state: LinkState = "connecting";
  #silence: number | undefined;
  readonly #onState: (state: LinkState) => void;

  constructor(onState: (state: LinkState) => void) {
    this.#onState = onState;
    addEventListener("online", () => this.#socket?.readyState !== WebSocket.OPEN && this.#connect());
    this.#connect();
  }

  /** `again`: it does no harm to ask twice, so it outlives the connection. */
  ask<T>(ask: string, of: Readonly<Record<string, unknown>>, { again = false, signal }: AskOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      const told = (answer: Told): void => {
        if ("value" in answer) resolve(answer.value as T);
        else if ("error" in answer) reject(new Refused(answer.error));
        else return;
        this.#open.delete(id);
      };
      signal?.addEventListener("abort", () => {
        this.#stop(id);
        reject(signal.reason);
      });
      this.#begin(id, { asked: () => ({ id, ask, of }), told, again });
    });
  }

  /** `of` is asked for again at each reconnect: it says where to go on. Ends by the signal, or with the stream. */
  follow(ask: string, of: () => Readonly<Record<string, unknown>>, { item, failed, signal }: FollowOptions): void {
    const id = ++this.#lastId;
    const told = (answer: Told): void => {
      if ("item" in answer) item(answer.item);
      else if ("error" in answer) {
        this.#open.delete(id);
        failed(new Refused(answer.error));
      } else if ("end" in answer) this.#open.delete(id);
    };
    signal.addEventListener("abort", () => this.#stop(id), { once: true });
    this.#begin(id, { asked: () => ({ id, ask, of: of() }), told, again: true });
  }

  #begin(id: number, open: Open): void {
    this.#open.set(id, open);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send(open.asked());
  }

  #stop(id: number): void {
    if (this.#open.delete(id) && this.#socket?.readyState === WebSocket.OPEN) this.#send({ id, stop: true });
  }

  #send(asked: Asked): void {
    this.#socket?.send(JSON.stringify(asked));
  }

  #connect(): void {
    this.#socket?.close();
    const socket = new WebSocket(`ws://${location.host}/socket`);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#failures = 0;
      this.#heard(socket);
      for (const { asked } of this.#open.values()) this.#send(asked());
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket) return;
      this.#heard(socket);
      this.#take(JSON.parse(data as string) as Told);
    });
    socket.addEventListener("close", () => this.#socket === socket && this.#lost());
    this.#heard(socket);
  }

  #take(told: Told): void {
    if ("beat" in told) this.#become(told.bus ? "connected" : "busless");
    else this.#open.get(told.id)?.told(told);
  }

  /** A connection that says nothing any more is closed here, since nobody else may notice. */
  #heard(socket: WebSocket): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (this.#socket !== socket) return;
      socket.close();
      this.#lost();
    }, silenceMs);
  }

  #lost(): void {
    this.#socket = undefined;
    clearTimeout(this.#silence);
    this.#become("lost");
    for (const [id, { told, again }] of this.#open) {
      if (!again) told({ id, error: { code: "lost", message: "The connection was lost; please try again." } });
    }
    const wait = Math.min(firstWaitMs * 2 ** this.#failures++, longestWaitMs);
    setTimeout(() => this.#socket === undefined && this.#connect(), wait * (0.75 + Math.random() / 2));
  }

  #become(state: LinkState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }
}

export interface AskOptions {
  readonly again?: boolean;
  readonly signal?: AbortSignal;
}

export interface FollowOptions {
  readonly item: (item: unknown) => void;
  readonly failed: (error: Refused) => void;
  readonly signal: AbortSignal;
}
