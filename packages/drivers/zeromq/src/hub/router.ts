import { BusError } from "@quadrant/contract";
import { Router } from "zeromq";
import { isPacket } from "../wire/packet.ts";
import { maxPacketBytes } from "./limits.ts";

/** Who has something to send: asked for it when the socket is free. */
export interface PacketSource {
  /** The connection to send over now; undefined while there is none. */
  readonly route: Buffer | undefined;
  /** The next packet, undefined when there is none. `failed` is called where it did not go out. */
  nextPacket(): { readonly packet: Buffer; sent(): void; failed(reason: "unreachable" | "full"): void } | undefined;
}

export interface RouterEvents {
  packet(route: Buffer, packet: Buffer): void;
  /** A connection has ended; which one, ZeroMQ does not tell. */
  disconnected(): void;
}

const fullRetryMs = 20;
/** After about so many small messages in a row, timers and other sockets of this process get their turn. */
const turnMessages = 256;

/** The hub's one socket: a ROUTER with one reader and one writer, who take turns among the sources that have something. */
export class HubRouter {
  readonly #socket = new Router({
    mandatory: true,
    sendTimeout: 0,
    // Goodbyes get a moment to leave.
    linger: 300,
    maxMessageSize: maxPacketBytes,
    // Bounded by the links' windows, not here: at its mark a ROUTER refuses, and would so in the middle of a window.
    sendHighWaterMark: 100_000,
    receiveHighWaterMark: 1_000,
    heartbeatInterval: 2_000,
    heartbeatTimeout: 8_000,
  });
  readonly #events: RouterEvents;
  readonly #queue = new Set<PacketSource>();
  #sending = false;
  #holding = 0;
  #closed = false;
  #endpoint = "";
  readonly #retries = new Set<NodeJS.Timeout>();
  /** Messages that were no packets. */
  malformed = 0;

  constructor(events: RouterEvents) {
    this.#events = events;
  }

  get endpoint(): string {
    return this.#endpoint;
  }

  async bind(endpoint: string): Promise<void> {
    try {
      await this.#socket.bind(endpoint.replace(/^(tcp:.*):0$/, "$1:*"));
    } catch (cause) {
      this.#socket.close();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new BusError("unavailable", `cannot listen on ${endpoint}: ${why}; free the address, or use port 0`, {
        cause,
        driver: "zeromq",
      });
    }
    this.#endpoint = this.#socket.lastEndpoint ?? endpoint;
    void this.#watch();
    void this.#receive();
  }

  /** The source has something to send. */
  wake(source: PacketSource): void {
    if (this.#closed) return;
    this.#queue.add(source);
    if (!this.#sending && this.#holding === 0) void this.#send();
  }

  async #receive(): Promise<void> {
    let messages = 0;
    while (!this.#closed) {
      let frames: Buffer[];
      try {
        frames = await this.#socket.receive();
      } catch {
        if (this.#closed) return;
        continue;
      }
      const [route, packet] = frames;
      if (frames.length !== 2 || route === undefined || packet === undefined || !isPacket(packet)) {
        this.malformed++;
        continue;
      }
      this.#holding++;
      try {
        this.#events.packet(route, packet);
      } finally {
        this.#holding--;
      }
      if (this.#queue.size > 0 && !this.#sending) void this.#send();
      messages += 1 + packet.length / 256;
      if (messages >= turnMessages) {
        messages = 0;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  }

  async #watch(): Promise<void> {
    try {
      for await (const event of this.#socket.events) {
        if (event.type === "disconnect") this.#events.disconnected();
      }
    } catch {
      // The monitor ends with its socket.
    }
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      for (const source of this.#queue) {
        this.#queue.delete(source);
        const { route } = source;
        if (route === undefined) continue;
        const next = source.nextPacket();
        if (next === undefined) continue;
        try {
          await this.#socket.send([route, next.packet]);
        } catch (error) {
          if (this.#closed) return;
          const full = (error as { code?: string }).code === "EAGAIN";
          next.failed(full ? "full" : "unreachable");
          if (full) this.#retry(source);
          continue;
        }
        next.sent();
        this.#queue.add(source);
      }
    } finally {
      this.#sending = false;
    }
  }

  #retry(source: PacketSource): void {
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.wake(source);
    }, fullRetryMs);
    this.#retries.add(timer);
  }

  /** Closes at once; what was not handed to ZeroMQ is dropped. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.clear();
    for (const timer of this.#retries) clearTimeout(timer);
    this.#socket.close();
  }
}
