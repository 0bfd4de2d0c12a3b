import { setTimeout as pause } from "node:timers/promises";
import { type Bus, connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { encodeHello, encodeValues, PacketKind } from "@quadrant/zeromq/wire";
import { Dealer } from "zeromq";
import { clientRecords, dataPacket, mutatedRecords } from "./frame-corpus.ts";
import { mutated, Random } from "./frame-mutation.ts";

export interface FrameCampaign {
  readonly frames: number;
  readonly seed: number;
  readonly progress?: ((frames: number) => void) | undefined;
  /** Waits at the end until the hub has let go of the sessions that were left behind: half a minute, or more. */
  readonly untilForgotten?: boolean | undefined;
}

export interface FrameReport {
  readonly frames: number;
  /** Good messages that were sent in between, and delivered. */
  readonly good: number;
  readonly delivered: number;
  readonly crashed: boolean;
  /** Resident memory of the process under attack: before, and the most that was seen. */
  readonly firstBytes: number;
  readonly mostBytes: number;
  /** The most that was seen while the first two thirds of the frames came; of a hub. */
  readonly earlyBytes?: number | undefined;
  /** What was left at the end, once it had been waited for: sessions besides the good ones, and what waits for anybody. */
  readonly left?:
    | { readonly sessions: number; readonly waitingBytes: number; readonly bufferBytes: number }
    | undefined;
  /** What it counted. */
  readonly counters: Readonly<Record<string, unknown>>;
  readonly seconds: number;
}

/** Frames over one connection, before it is made anew. */
const framesPerConnection = 400;
const framesPerCheck = 5_000;

interface Attacker {
  readonly socket: Dealer;
  readonly session: string;
}

async function attacker(url: string, hello: Buffer): Promise<Attacker> {
  const socket = new Dealer({ linger: 30_000, receiveTimeout: 60_000, sendTimeout: 60_000, sendHighWaterMark: 200 });
  socket.connect(url.replace("zmq:", "tcp:"));
  await socket.send(hello);
  for (;;) {
    const [packet] = (await socket.receive()) as [Buffer];
    if (packet[2] === PacketKind.welcome) return { socket, session: packet.toString("hex", 19, 35) };
    // The hub has as many sessions as it takes: some end soon.
    if (packet[2] === PacketKind.refuse) {
      await pause(1_000);
      await socket.send(hello);
    }
  }
}

/** Reads what the hub answers, so that it is free to go on; ends with the socket. */
async function drain(socket: Dealer): Promise<void> {
  try {
    for await (const _ of socket);
  } catch {
    // Closed.
  }
}

/** Frames outside of a session's data: of these each may end the connection. */
function strayFrame(random: Random, known: readonly string[]): Buffer {
  const hello = encodeHello(random.of(known), random.below(4), encodeValues(["attacker"]));
  const data = dataPacket(random.of([0, 1, 2, 2 ** 48 - 1]), random.of([0, 2 ** 48 - 1]), [random.of(clientRecords)]);
  return random.of([
    () => mutated(random, hello),
    () => hello,
    () => mutated(random, data),
    () => data,
    () => mutated(random, Buffer.from([0x51, random.below(256), random.below(8), ...random.bytes(6)])),
    () => random.bytes(random.below(200)),
    () => Buffer.alloc(random.of([0, 1, 100_000]), 0x91),
  ])();
}

async function attack(url: string, random: Random, count: number, known: string[]): Promise<number> {
  const { socket, session } = await attacker(url, encodeHello(undefined, 0, encodeValues(["attacker"])));
  void drain(socket);
  if (known.length < 64) known.push(session);
  else known[random.below(64)] = session;
  let sent = 0;
  try {
    let sequence = 0;
    // The last few tear the session apart.
    const breaking = 1 + random.below(12);
    while (sent < count - breaking) {
      const packet = dataPacket(++sequence, random.of([0, 2 ** 40]), mutatedRecords(random, clientRecords));
      await socket.send(packet);
      sent++;
      if (random.below(20) === 0 && sent < count - breaking) {
        // A replay: the same once more.
        await socket.send(packet);
        sent++;
      }
    }
    if (random.below(4) === 0) {
      // One is missing.
      await socket.send(dataPacket(sequence + 2, 0, [random.of(clientRecords)]));
      sent++;
    }
    for (; sent < count; sent++) {
      const frame = strayFrame(random, known);
      await socket.send(random.below(8) === 0 ? [frame, random.bytes(8)] : frame);
    }
  } finally {
    // What is still on its way gets there: see linger.
    socket.close();
  }
  return sent;
}

interface Told {
  readonly hub: Readonly<Record<string, unknown>> & {
    readonly residentBytes: number;
    readonly bufferBytes: number;
    readonly waitingBytes: number;
    readonly clients: readonly unknown[];
  };
}

/**
 * Longer than what closed sockets still send (their linger), and then a session is kept for a client that is gone; twice
 * that, for a machine that has other work.
 */
const forgottenMs = 150_000;
/** The publisher and the subscriber of the good messages. */
const goodClients = 2;

/** Once the hub has only the good ones, or has had time enough for it. */
async function leftBehind(bus: Bus): Promise<NonNullable<FrameReport["left"]>> {
  const end = performance.now() + forgottenMs;
  let hub = await told(bus);
  for (; hub.clients.length > goodClients && performance.now() < end; hub = await told(bus)) await pause(500);
  const { waitingBytes, bufferBytes } = hub;
  return { sessions: hub.clients.length - goodClients, waitingBytes, bufferBytes };
}

async function told(bus: Bus): Promise<Told["hub"]> {
  const { describe } = await import("@quadrant/bus");
  return ((await describe(bus)) as unknown as Told).hub;
}

/** Sends mutated frames to a hub in a process of its own; in between, good messages have to arrive. */
export async function runFramesToHub({ frames, seed, progress, untilForgotten }: FrameCampaign): Promise<FrameReport> {
  const began = performance.now();
  const random = new Random(seed);
  await using broker = await startBroker("zeromq");
  const { pid, url } = broker;
  const [publisher, subscriber] = [await connect(url, { name: "good" }), await connect(url, { name: "good" })];
  let good = 0;
  let delivered = 0;
  let sent = 0;
  const known: string[] = ["01".padStart(32, "0")];
  try {
    const messages = await subscriber.subscribe<number>("good.message");
    const reading = (async () => {
      for await (const { data } of messages) if (data === delivered + 1) delivered++;
    })();
    const firstBytes = (await told(publisher)).residentBytes;
    let mostBytes = firstBytes;
    let earlyBytes = firstBytes;
    let nextCheck = 0;
    while (sent < frames) {
      sent += await attack(url, random, Math.min(framesPerConnection, frames - sent), known);
      if (sent < nextCheck && sent < frames) continue;
      nextCheck = sent + framesPerCheck;
      await publisher.publish("good.message", ++good);
      const end = performance.now() + 60_000;
      while (delivered < good && performance.now() < end) await pause(5);
      mostBytes = Math.max(mostBytes, (await told(publisher)).residentBytes);
      if (sent * 3 <= frames * 2) earlyBytes = mostBytes;
      progress?.(sent);
      if (delivered < good) break;
    }
    const left = untilForgotten === true ? await leftBehind(publisher) : undefined;
    const { dropped, malformed, connections, bounds, waitingBytes } = await told(publisher);
    await messages[Symbol.asyncDispose]();
    await reading;
    const counters = { malformed, dropped, connections, waitingBytes, bounds };
    const seconds = (performance.now() - began) / 1_000;
    const memory = { firstBytes, mostBytes, earlyBytes, left };
    return { frames: sent, good, delivered, crashed: broker.pid !== pid, ...memory, counters, seconds };
  } finally {
    await Promise.all([publisher.close(), subscriber.close()]);
  }
}
