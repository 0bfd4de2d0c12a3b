/** Calls without Quadrant: DEALER and ROUTER with a request id, as one writes them with zeromq.js; and a relay between. */
import { Dealer, Router } from "zeromq";
import type { Errand } from "../caller.ts";
import { indexOf, type Payload, payloadMaker } from "../payload.ts";

type Frames = (string | Buffer)[];

/** A socket refuses a second send while one is under way, so callers queue; each send is awaited. */
class Sends {
  readonly #socket: Dealer | Router;
  readonly #queue: Frames[] = [];
  #busy = false;

  constructor(socket: Dealer | Router) {
    this.#socket = socket;
  }

  push(frames: Frames): void {
    this.#queue.push(frames);
    if (!this.#busy) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#socket.send(next as never);
    }
    this.#busy = false;
  }
}

export const unbounded = { sendHighWaterMark: 0, receiveHighWaterMark: 0, linger: 0 };

export function rawCalls(url: string, bytes: number): Errand {
  const socket = new Dealer(unbounded);
  socket.connect(url);
  const sends = new Sends(socket);
  const open = new Map<number, PromiseWithResolvers<Payload>>();
  const make = payloadMaker(bytes);
  let requests = 0;
  const reading = (async () => {
    for await (const [id, body] of socket) {
      const request = id!.readUInt32BE();
      open.get(request)!.resolve(JSON.parse(body!.toString()));
      open.delete(request);
    }
  })();
  return {
    operations: 1,
    run: async (index) => {
      const answer = Promise.withResolvers<Payload>();
      const request = ++requests;
      const id = Buffer.allocUnsafe(4);
      id.writeUInt32BE(request);
      open.set(request, answer);
      sends.push([id, JSON.stringify(make(index))]);
      if (indexOf(await answer.promise) !== index) throw new Error("an answer to another request");
    },
    close: async () => {
      socket.close();
      await reading.catch(() => undefined);
    },
  };
}

/** A socket for each loop, which awaits its send and then its answer: no request id, no queue. */
export function rawLoops(url: string, bytes: number): Errand {
  const sockets: Dealer[] = [];
  const make = payloadMaker(bytes);
  const socketOf = (lane: number): Dealer => {
    let socket = sockets[lane];
    if (socket === undefined) {
      socket = sockets[lane] = new Dealer(unbounded);
      socket.connect(url);
    }
    return socket;
  };
  return {
    operations: 1,
    run: async (index, lane) => {
      const socket = socketOf(lane);
      await socket.send(JSON.stringify(make(index)));
      const [body] = await socket.receive();
      if (indexOf(JSON.parse(body!.toString())) !== index) throw new Error("an answer to another request");
    },
    close: async () => {
      for (const socket of sockets) socket.close();
    },
  };
}

/** Echoes what it can parse. Resolves with the address it listens at. */
export async function rawServing(): Promise<string> {
  const socket = new Router({ ...unbounded, mandatory: true });
  await socket.bind("tcp://127.0.0.1:0");
  void (async () => {
    for await (const frames of socket) {
      const body = frames.pop()!;
      await socket.send([...frames, JSON.stringify(JSON.parse(body.toString()))]);
    }
  })();
  return socket.lastEndpoint!;
}

/** What any broker of ZeroMQ has to do at least: take a message from one side, hand it to the other. */
export async function rawRelay(server: string): Promise<string> {
  const front = new Router({ ...unbounded, mandatory: true });
  const back = new Dealer(unbounded);
  await front.bind("tcp://127.0.0.1:0");
  back.connect(server);
  void (async () => {
    for await (const frames of front) await back.send(frames);
  })();
  void (async () => {
    for await (const frames of back) await front.send(frames);
  })();
  return front.lastEndpoint!;
}
