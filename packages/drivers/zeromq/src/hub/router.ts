import { afterTurn, BusError } from "@quadrant/contract";
import { type Context, Router } from "zeromq";
import { isPacket } from "../wire/packet.ts";
import type { Counters } from "./counters.ts";
import { handshakeMs, maxPacketBytes, maxParts } from "./limits.ts";

/** Who has something to send: asked for it when the socket is free. */
export interface PacketSource {
  /** The connection to send over now; undefined while there is none. */
  readonly route: Buffer | undefined;
  /** The next packet, undefined when there is none. `failed` is called where it did not go out. */
  nextPacket(): { readonly packet: Buffer; sent(): void; failed(reason: "unreachable" | "full"): void } | undefined;
}

export interface RouterEvents {
  packet(route: Buffer, packet: Buffer): void;
  /** A connection was taken, by TCP or as a Unix socket. */
  accepted(): void;
  /** A handshake failed: a wrong key, another mechanism, another protocol. */
  turnedAway(): void;
  /** A connection has ended; which one, ZeroMQ does not tell. */
  disconnected(): void;
}

const fullRetryMs = 20;
/** After about so many small messages in a row, timers and other sockets of this process get their turn. */
const turnMessages = 256;

/** The hub's one socket: a ROUTER with one reader and one writer, who take turns among the sources that have something. */
export class HubRouter {
  readonly #socket: Router;
  readonly #events: RouterEvents;
  readonly #queue = new Set<PacketSource>();
  #sending = false;
  #scheduled = false;
  #closed = false;
  #endpoint = "";
  readonly #retries = new Set<NodeJS.Timeout>();
  readonly #counters: Counters;

  /** `secretKey`: the hub's of CURVE, Z85. */
  constructor(context: Context, secretKey: string | undefined, counters: Counters, events: RouterEvents) {
    this.#counters = counters;
    this.#events = events;
    this.#socket = new Router({
      context,
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
      handshakeInterval: handshakeMs,
      // So the hub is asked about each connection, also without CURVE.
      zapDomain: "quadrant",
      ...(secretKey === undefined ? {} : { curveServer: true, curveSecretKey: secretKey }),
    });
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
    this.#schedule();
  }

  /** What one turn has for a client leaves as one packet at its end. */
  #schedule(): void {
    if (this.#scheduled || this.#sending) return;
    this.#scheduled = true;
    afterTurn(this.#turnEnded);
  }

  readonly #turnEnded = (): void => {
    this.#scheduled = false;
    if (!this.#sending && !this.#closed) void this.#send();
  };

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
      if (frames.length !== 1 + maxParts) this.#counters.manyParts++;
      else if (route === undefined || packet === undefined || !isPacket(packet)) this.#counters.notPackets++;
      else {
        this.#events.packet(route, packet);
        messages += packet.length / 256;
      }
      messages++;
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
        else if (event.type === "accept") this.#events.accepted();
        else if (event.type.startsWith("handshake:error")) this.#events.turnedAway();
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
