import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  dataHeaderBytes,
  eachRecord,
  encodeAck,
  encodeGone,
  encodeRefuse,
  encodeValues,
  encodeWelcome,
  Operation,
  PacketKind,
  RecordKind,
  readData,
  Values,
} from "@quadrant/zeromq/wire";
import { Router } from "zeromq";
import { dataPacket, framed, hubRecords, messageRecord, mutatedRecords, type RecordBytes } from "./frame-corpus.ts";
import { mutated, Random } from "./frame-mutation.ts";
import type { FrameCampaign, FrameReport } from "./frames-to-hub.ts";

const program = fileURLToPath(new URL("./frame-client.ts", import.meta.url));
const framesPerConnection = 4_000;
const framesPerGood = 1_000;
const givenUpMs = 60_000;

/** A hub that answers what a client needs to go on, and otherwise sends what it is told. */
class HostileHub {
  readonly #socket = new Router({ linger: 0, sendHighWaterMark: 200, sendTimeout: givenUpMs });
  #route: Buffer | undefined;
  #sequence = 0;
  #received = 0;
  #sessions = 0;
  /** The client's subscription, once it has one. */
  subscription = 0;
  /** Sends of the reader and of the campaign take turns. */
  #turn: Promise<void> = Promise.resolve();

  async listen(): Promise<string> {
    await this.#socket.bind("tcp://127.0.0.1:*");
    void this.#read();
    return this.#socket.lastEndpoint!.replace("tcp:", "zmq:");
  }

  async #read(): Promise<void> {
    try {
      for await (const [route, packet] of this.#socket) await this.#packet(route!, packet!);
    } catch {
      // Closed.
    }
  }

  async #packet(route: Buffer, packet: Buffer): Promise<void> {
    if (packet[2] === PacketKind.hello) {
      this.#route = route;
      this.#sequence = this.#received = this.subscription = 0;
      const session = (++this.#sessions).toString(16).padStart(32, "0");
      const about = encodeValues([1_000, 8 << 20, false, "24"]);
      await this.raw(encodeWelcome({ hub: "ab".repeat(16), session, resumed: false, received: 0 }, about));
    } else if (packet[2] === PacketKind.data && this.#route?.equals(route)) {
      this.#received = readData(packet)!.sequence;
      const answers: RecordBytes[] = [];
      eachRecord(packet, dataHeaderBytes, (kind, start, end) => {
        if (kind === RecordKind.request) answers.push(...this.#answer(packet.subarray(start, end)));
      });
      if (answers.length > 0) await this.records(answers);
      else await this.raw(encodeAck(this.#received));
    }
  }

  #answer(body: Buffer): RecordBytes[] {
    const operation = body[4]!;
    const respond = (values: readonly unknown[]): RecordBytes[] => {
      const head = Buffer.concat([body.subarray(0, 4), Buffer.from([0])]);
      return [framed(RecordKind.response, Buffer.concat([head, encodeValues(values)]))];
    };
    if (operation === Operation.subscribe) this.subscription = Values.read(body.subarray(5)).number(0);
    if (operation === Operation.describe) return respond(["{}"]);
    const plain: readonly number[] = [Operation.sync, Operation.subscribe, Operation.serve, Operation.spaceOpen];
    return plain.includes(operation) ? respond([]) : [];
  }

  /** Over the connection that the client has now, if any. */
  raw(packet: Buffer): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#route !== undefined) await this.#socket.send([this.#route, packet]).catch(() => undefined);
    });
    return this.#turn;
  }

  records(records: readonly RecordBytes[]): Promise<void> {
    return this.raw(dataPacket(++this.#sequence, this.#received, records));
  }

  close(): void {
    this.#socket.close();
  }
}

/** Frames outside of the session's data; most of them end the connection. */
function strayFrame(random: Random): Buffer {
  const id = random.bytes(16).toString("hex");
  const about = encodeValues([1_000, 8 << 20, false, "24"]);
  return random.of([
    () => mutated(random, encodeWelcome({ hub: id, session: id, resumed: true, received: 1 }, about)),
    () => mutated(random, encodeRefuse(encodeValues(["overflow", "full"]))),
    () => mutated(random, dataPacket(random.of([0, 1, 2 ** 48 - 1]), 2 ** 48 - 1, [random.of(hubRecords)])),
    () => mutated(random, encodeAck(random.of([0, 1, 2 ** 48 - 1]))),
    () => mutated(random, encodeGone()),
    () => random.bytes(random.below(200)),
  ])();
}

/** What the client told of itself. */
class Witness {
  good = 0;
  firstBytes = 0;
  mostBytes = 0;
  description: Readonly<Record<string, unknown>> = {};

  constructor(child: ChildProcess) {
    child.on("message", (told: { good?: unknown; residentBytes?: number; description?: Witness["description"] }) => {
      if (told.description !== undefined) this.description = told.description;
      if (typeof told.good !== "number" || told.residentBytes === undefined) return;
      this.good = Math.max(this.good, told.good);
      this.firstBytes ||= told.residentBytes;
      this.mostBytes = Math.max(this.mostBytes, told.residentBytes);
    });
  }
}

/** Sends the good message until it is told to have come, or the client is dead; a torn connection may lose it. */
async function delivered(hub: HostileHub, witness: Witness, child: ChildProcess, number: number): Promise<boolean> {
  const end = performance.now() + givenUpMs;
  while (performance.now() < end && child.exitCode === null && child.signalCode === null) {
    if (hub.subscription !== 0) await hub.records([messageRecord(hub.subscription, "fuzz.good", String(number))]);
    for (let i = 0; i < 50 && witness.good < number; i++) await pause(2);
    if (witness.good >= number) return true;
  }
  return false;
}

/** Sends mutated packets to a client in a process of its own; in between, good messages have to arrive. */
export async function runFramesToClient({ frames, seed, progress }: FrameCampaign): Promise<FrameReport> {
  const began = performance.now();
  const random = new Random(seed);
  const hub = new HostileHub();
  const child = fork(program, [await hub.listen()], { execPath: process.execPath, stdio: ["ignore", 2, 2, "ipc"] });
  const witness = new Witness(child);
  let good = 0;
  let arrived = 0;
  let sent = 0;
  try {
    if (await delivered(hub, witness, child, ++good)) arrived++;
    while (sent < frames && arrived === good) {
      for (let i = 0; i < framesPerConnection && sent < frames; i++) {
        await hub.records(mutatedRecords(random, hubRecords));
        if (++sent % framesPerGood !== 0) continue;
        if (!(await delivered(hub, witness, child, ++good))) break;
        arrived++;
      }
      for (let left = 1 + random.below(6); left > 0 && sent < frames; left--, sent++) await hub.raw(strayFrame(random));
      await hub.raw(encodeGone());
      progress?.(sent);
    }
    if (arrived === good && (await delivered(hub, witness, child, ++good))) arrived++;
    const crashed = child.exitCode !== null || child.signalCode !== null;
    if (!crashed) {
      child.send("describe");
      const end = performance.now() + 10_000;
      while (Object.keys(witness.description).length === 0 && performance.now() < end) await pause(10);
    }
    const { firstBytes, mostBytes, description } = witness;
    const seconds = (performance.now() - began) / 1_000;
    return { frames: sent, good, delivered: arrived, crashed, firstBytes, mostBytes, counters: description, seconds };
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    hub.close();
  }
}
