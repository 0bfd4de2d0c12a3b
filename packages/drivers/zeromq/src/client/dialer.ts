import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { BusError } from "@quadrant/contract";
import { Dealer } from "zeromq";
import { decodeWelcome, encodeHello, isPacket, PacketKind, type Welcome } from "../wire/packet.ts";
import { decodeError, encodeValues, Values } from "../wire/values.ts";

/** One established connection: a DEALER of its own, so that nothing of an older one is left in it. */
export interface Wire {
  /** Sends one packet; one at a time. */
  send(packet: Buffer): Promise<void>;
  /** The next packet; rejects once closed. */
  receive(): Promise<Buffer>;
  /** Calls back once when TCP has ended. */
  onDisconnect(callback: () => void): void;
  /** Calls back when the handshake fails: with why, where that is for good, or undefined where the hub broke it off. */
  onHandshakeFailed(callback: (why: BusError | undefined) => void): void;
  close(): void;
}

export interface Dialed {
  readonly wire: Wire;
  readonly welcome: Welcome;
}

const maxReplyBytes = 128 * 1024 * 1024;
/** A hello that nobody answered for so long is said again over a new connection. */
const attemptMs = 5_000;
/** Under CURVE, handshakes in a row that the hub broke off: it could not read them. One may be a hub that just ends. */
const maxCuts = 3;
/** Before the next attempt, after one whose connection broke. */
const pauseMs = 50;

/** Keys of CURVE, Z85. */
export interface CurveKeys {
  readonly serverKey: string;
  readonly publicKey: string;
  readonly secretKey: string;
}

function denied(message: string): BusError {
  return new BusError("denied", message, { driver: "zeromq" });
}

const unknownKey = "the hub does not let this client's key in: let its operator add the public key to the clients";
const wantsKeys = "the hub takes only clients with keys: give auth: { curve: { serverKey, publicKey, secretKey } }";
const takesNoKeys = "the hub has no keys, and this client was given some: start it with a secret key, or give no auth";
const wrongServerKey =
  "the hub breaks off the handshake: serverKey is not its public key (`quadrant hub` prints it), it has no keys, or it is full";

class DealerWire implements Wire {
  readonly #socket: Dealer;
  #closed = false;
  #disconnected = false;
  #onDisconnect: (() => void) | undefined;
  #onHandshakeFailed: ((why: BusError | undefined) => void) | undefined;
  readonly #curve: boolean;

  constructor(endpoint: string, curve: CurveKeys | undefined) {
    this.#curve = curve !== undefined;
    this.#socket = new Dealer({
      // Nobody guesses it, to speak or listen in this client's name; and the hub's socket need not make one up.
      routingId: randomBytes(16).toString("base64url"),
      ...(curve === undefined
        ? {}
        : {
            curveServerKey: curve.serverKey,
            curvePublicKey: curve.publicKey,
            curveSecretKey: curve.secretKey,
          }),
      // Every packet that matters is kept by the link until it is acknowledged.
      linger: 0,
      maxMessageSize: maxReplyBytes,
      // Bounded by the link's window.
      sendHighWaterMark: 100_000,
      reconnectInterval: 100,
      reconnectMaxInterval: 1_000,
      heartbeatInterval: 2_000,
      heartbeatTimeout: 8_000,
    });
    void this.#watch();
    this.#socket.connect(endpoint);
  }

  async #watch(): Promise<void> {
    try {
      for await (const event of this.#socket.events) {
        if (event.type === "handshake:error:auth") this.#onHandshakeFailed?.(denied(unknownKey));
        else if (event.type === "handshake:error:protocol") {
          const { code } = event.error as { readonly code?: string };
          if (code !== "ERR_ZMTP_MECHANISM_MISMATCH") continue;
          this.#onHandshakeFailed?.(denied(this.#curve ? takesNoKeys : wantsKeys));
        } else if (event.type === "handshake:error:other") this.#onHandshakeFailed?.(undefined);
        else if (event.type === "disconnect") {
          this.#disconnected = true;
          this.#onDisconnect?.();
        }
      }
    } catch {
      // The monitor ends with its socket.
    }
  }

  onDisconnect(callback: () => void): void {
    this.#onDisconnect = callback;
    if (this.#disconnected) callback();
  }

  onHandshakeFailed(callback: (why: BusError | undefined) => void): void {
    this.#onHandshakeFailed = callback;
  }

  send(packet: Buffer): Promise<void> {
    return this.#socket.send(packet);
  }

  async receive(): Promise<Buffer> {
    for (;;) {
      const [packet] = await this.#socket.receive();
      if (packet !== undefined && isPacket(packet)) return packet;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}

async function greet(wire: Wire, hello: Buffer): Promise<Dialed> {
  await wire.send(hello);
  for (;;) {
    const packet = await wire.receive();
    if (packet[2] === PacketKind.refuse) throw decodeError(Values.read(packet.subarray(3)));
    if (packet[2] !== PacketKind.welcome) continue;
    const welcome = decodeWelcome(packet);
    if (welcome !== undefined) return { wire, welcome };
  }
}

/**
 * One attempt: connected, it says hello, waits for the welcome. Rejects with "unavailable" when none came in time, with what
 * the hub says when it refuses.
 */
async function attempt(
  wire: Wire,
  hello: Buffer,
  limitMs: number,
  signal: AbortSignal,
  cut: () => void,
): Promise<Dialed> {
  const ended = new AbortController();
  const giveUp = AbortSignal.any([signal, ended.signal]);
  const silence = delay(limitMs, undefined, { signal: giveUp }).then(
    () => new BusError("unavailable", "no answer"),
    () => new BusError("unavailable", "given up"),
  );
  // The socket would connect again by itself, without its hello: that went to a hub that was just dying.
  const broken = new Promise<BusError>((resolve) => {
    wire.onHandshakeFailed((why) => {
      if (why === undefined) cut();
      else resolve(why);
    });
    wire.onDisconnect(() => resolve(new BusError("unavailable", "the connection broke")));
  });
  const greeting = greet(wire, hello);
  greeting.catch(() => undefined);
  try {
    const first = await Promise.race([greeting, silence, broken]);
    if (!(first instanceof BusError)) return first;
    wire.close();
    throw first;
  } catch (error) {
    wire.close();
    throw error;
  } finally {
    ended.abort();
  }
}

/**
 * Connects, trying until `timeoutMs` has passed (Infinity: until the signal is aborted). Rejects with the hub's refusal, or
 * "unavailable".
 */
export async function dial(
  endpoint: string,
  about: {
    readonly name: string;
    readonly session: string | undefined;
    readonly received: number;
    readonly curve: CurveKeys | undefined;
  },
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Dialed> {
  const hello = encodeHello(about.session, about.received, encodeValues([about.name]));
  const end = performance.now() + timeoutMs;
  let cuts = 0;
  for (;;) {
    const left = Math.min(attemptMs, end - performance.now());
    if (left <= 0 || signal.aborted) throw new BusError("unavailable", "no hub answers", { driver: "zeromq" });
    let wasCut = false;
    const cut = (): void => {
      wasCut = true;
    };
    try {
      return await attempt(new DealerWire(endpoint, about.curve), hello, left, signal, cut);
    } catch (error) {
      if (error instanceof BusError && error.code !== "unavailable") throw error;
      cuts = wasCut ? cuts + 1 : 0;
      if (about.curve !== undefined && cuts === maxCuts) throw denied(wrongServerKey);
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
