/** A TCP proxy in this process, that does to the bytes between a client and a broker what networks do. */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { BusError } from "@quadrant/contract";
import { freePort } from "../brokers/port.ts";
import { Direction } from "./direction.ts";
import { StreamPipe } from "./stream-pipe.ts";

export interface FaultProxyOptions {
  /** Of what happens by chance. Default 1: the same chances in every run. */
  readonly seed?: number | undefined;
}

export interface FaultProxy extends AsyncDisposable {
  /** The target's URL with the proxy's host and port in place of its own. */
  readonly url: string;
  /** From the clients to the broker. */
  readonly up: Direction;
  /** From the broker to the clients. */
  readonly down: Direction;
  /** How many connections are open through it. */
  readonly connections: number;
  /** Every connection ends, by a FIN or a reset, and new ones are refused until `heal`. */
  cut(by?: "fin" | "rst"): Promise<void>;
  /** Every connection is reset; new ones are taken. */
  reset(): Promise<void>;
  /** Nothing is wrong any more: both directions are healed, and connections taken again. */
  heal(): Promise<void>;
  /** Ends every connection and stops listening. Twice is once. */
  close(): Promise<void>;
}

const defaultPorts: Readonly<Record<string, number>> = {
  "nats:": 4222,
  "tls:": 4222,
  "redis:": 6379,
  "rediss:": 6379,
  "zmq:": 7227,
};

interface Target {
  readonly host: string;
  readonly port: number;
  /** The URL with another port of 127.0.0.1. */
  through(port: number): string;
}

function targetOf(url: string): Target {
  const parts = /^([a-z][a-z0-9+.-]*:)\/\/((?:[^/?#@]*@)?)(\[[^\]]+\]|[^/?#@:,]+)(?::(\d+))?([/?#].*)?$/i.exec(url);
  if (parts === null) {
    throw new BusError(
      "invalid",
      "a fault proxy stands before one TCP server: give a URL such as nats://127.0.0.1:4222",
    );
  }
  const [, scheme = "", user = "", host = "", port, rest = ""] = parts;
  const found = port === undefined ? defaultPorts[scheme.toLowerCase()] : Number(port);
  if (found === undefined)
    throw new BusError("invalid", `the URL of a fault proxy's target names no port: ${scheme}//${host}`);
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: found,
    through: (other) => `${scheme}//${user}127.0.0.1:${other}${rest}`,
  };
}

interface Connection {
  end(by: "fin" | "rst"): void;
  changed(): void;
}

/** A FIN after what was written already; who does not read it has a second. */
function finish(socket: Socket): void {
  socket.resume();
  socket.destroySoon();
  const late = setTimeout(() => socket.destroy(), 1_000);
  socket.once("close", () => clearTimeout(late));
}

class TcpProxy implements FaultProxy {
  readonly up: Direction;
  readonly down: Direction;
  readonly url: string;
  readonly #target: Target;
  readonly #port: number;
  readonly #seed: number;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #taken = 0;
  #closed = false;

  constructor(target: Target, port: number, seed: number) {
    const watchers = new Set([() => this.#changed()]);
    this.up = new Direction(watchers);
    this.down = new Direction(watchers);
    this.url = target.through(port);
    this.#target = target;
    this.#port = port;
    this.#seed = seed;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async listen(): Promise<void> {
    if (this.#server !== undefined || this.#closed) return;
    // A half-open connection is passed on as such: the end of one direction is not that of the other.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#take(client));
    this.#server = server;
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
  }

  async cut(by: "fin" | "rst" = "fin"): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = server === undefined ? undefined : once(server, "close");
    server?.close();
    this.#endAll(by);
    await closed;
  }

  async reset(): Promise<void> {
    this.#endAll("rst");
  }

  async heal(): Promise<void> {
    this.up.heal();
    this.down.heal();
    await this.listen();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.cut();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #endAll(by: "fin" | "rst"): void {
    for (const connection of [...this.#connections]) connection.end(by);
  }

  #changed(): void {
    for (const connection of [...this.#connections]) connection.changed();
  }

  #take(client: Socket): void {
    const { host, port } = this.#target;
    const broker = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const seed = this.#seed + 2 * this.#taken;
    this.#taken += 1;
    const end = (by: "fin" | "rst"): void => {
      if (!this.#connections.delete(connection)) return;
      for (const pipe of pipes) pipe.close();
      for (const socket of [client, broker]) {
        if (by === "rst") socket.resetAndDestroy();
        else finish(socket);
      }
    };
    const pipes = [
      new StreamPipe(client, broker, this.up, seed, end),
      new StreamPipe(broker, client, this.down, seed + 1, end),
    ];
    const connection = { end, changed: () => pipes.forEach((pipe) => void pipe.changed()) };
    this.#connections.add(connection);
    for (const socket of [client, broker]) {
      // A reset of one side, or a broker that refuses, is passed on as a reset of the other.
      socket.on("error", () => end("rst"));
      socket.on("close", () => {
        if (client.destroyed && broker.destroyed) end("fin");
      });
    }
  }
}

/**
 * Listens at a free port of 127.0.0.1 and passes on what comes to the one server that the URL names, whatever it speaks over
 * TCP: `nats:`, `tls:`, `redis:`, `rediss:`, `zmq:`. Throws "invalid" for a URL that names no such server.
 */
export async function faultProxy(targetUrl: string, options: FaultProxyOptions = {}): Promise<FaultProxy> {
  const target = targetOf(targetUrl);
  const proxy = new TcpProxy(target, await freePort(), options.seed ?? 1);
  await proxy.listen();
  return proxy;
}
