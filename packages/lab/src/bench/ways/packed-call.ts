/**
 * Calls without Quadrant, as quick as zeromq.js lets them be through a relay: many in a message, in two portions, so that
 * two of the three processes work at a time. What a hub costs beyond that is its own doing.
 */
import { Dealer, Router } from "zeromq";
import type { Errand } from "../caller.ts";
import { indexOf, type Payload, payloadMaker } from "../payload.ts";
import { unbounded } from "./raw-call.ts";

/** u32 request | u32 length | body, one after the other. */
const headBytes = 8;
const packetBytes = 65_536;

/** Bodies that leave together. */
class Packet {
  #bytes = Buffer.allocUnsafe(packetBytes);
  #length = 0;
  bodies = 0;

  append(request: number, text: string): void {
    const at = this.#length;
    const room = at + headBytes + text.length * 3;
    if (room > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes.subarray(0, at)], room * 2);
    const written = this.#bytes.write(text, at + headBytes);
    this.#bytes.writeUInt32BE(request, at);
    this.#bytes.writeUInt32BE(written, at + 4);
    this.#length += headBytes + written;
    this.bodies++;
  }

  get message(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

function* bodiesOf(message: Buffer): Generator<{ readonly request: number; readonly value: unknown }> {
  for (let at = 0; at < message.length; ) {
    const end = at + headBytes + message.readUInt32BE(at + 4);
    yield { request: message.readUInt32BE(at), value: JSON.parse(message.toString("utf8", at + headBytes, end)) };
    at = end;
  }
}

class PackedCalls implements Errand {
  readonly operations = 1;
  readonly #socket = new Dealer(unbounded);
  readonly #make: (index: number) => Payload;
  readonly #open = new Map<number, (answer: unknown) => void>();
  readonly #reading: Promise<void>;
  readonly #queue: Buffer[] = [];
  #packet = new Packet();
  #sending = false;
  #requests = 0;

  constructor(url: string, bytes: number) {
    this.#make = payloadMaker(bytes);
    this.#socket.connect(url);
    this.#reading = this.#read();
  }

  async run(index: number): Promise<void> {
    const request = ++this.#requests;
    this.#packet.append(request, JSON.stringify(this.#make(index)));
    const answer = new Promise((resolve) => this.#open.set(request, resolve));
    if (this.#packet.bodies * 2 >= this.#open.size) this.#flush();
    else if (this.#packet.bodies === 1) queueMicrotask(() => process.nextTick(() => this.#flush()));
    if (indexOf((await answer) as Payload) !== index) throw new Error("an answer to another request");
  }

  #flush(): void {
    if (this.#packet.bodies === 0) return;
    this.#queue.push(this.#packet.message);
    this.#packet = new Packet();
    if (!this.#sending) void this.#send();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) await this.#socket.send(next);
    this.#sending = false;
  }

  async #read(): Promise<void> {
    for await (const [message] of this.#socket) {
      for (const { request, value } of bodiesOf(message!)) {
        this.#open.get(request)!(value);
        this.#open.delete(request);
      }
    }
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#reading.catch(() => undefined);
  }
}

export function packedCalls(url: string, bytes: number): Errand {
  return new PackedCalls(url, bytes);
}

/** Echoes what it can parse, a message for each that came. Resolves with the address it listens at. */
export async function packedServing(): Promise<string> {
  const socket = new Router({ ...unbounded, mandatory: true });
  await socket.bind("tcp://127.0.0.1:0");
  void (async () => {
    for await (const frames of socket) {
      const answer = new Packet();
      for (const { request, value } of bodiesOf(frames.pop()!)) answer.append(request, JSON.stringify(value));
      await socket.send([...frames, answer.message]);
    }
  })();
  return socket.lastEndpoint!;
}
