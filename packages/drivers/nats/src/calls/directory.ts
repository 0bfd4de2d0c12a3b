import { createInbox } from "@nats-io/transport-node";
import type { ServerRecord } from "@quadrant/contract";
import type { NatsConnection } from "../connection.ts";
import type { Incoming } from "../incoming.ts";
import { readHeaders } from "../wire-headers.ts";
import type { InboundCalls, Served } from "./inbound.ts";
import { callSubject, queueGroup } from "./layout.ts";

/** When nothing more has been answered for so long, everybody has. */
const quietMs = 150;
const nothing = new Uint8Array(0);

interface Endpoint {
  readonly name: string;
  readonly num_requests?: number;
  readonly num_errors?: number;
  readonly processing_time?: number;
  readonly metadata?: Readonly<Record<string, string>> | null;
}

interface Answer {
  readonly name: string;
  readonly id: string;
  readonly version: string;
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly endpoints?: readonly Endpoint[] | null;
}

/** A service's name has letters, digits, `-` and `_` alone; the address stands in its metadata. */
const serviceName = (address: string): string => address.replace(/[^A-Za-z0-9_-]/g, "_");
const semantic = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** Who serves what: the protocol of NATS services, answered and asked. */
export class Directory {
  readonly #connection: NatsConnection;
  readonly #inbound: InboundCalls;
  #answering = false;

  constructor(connection: NatsConnection, inbound: InboundCalls) {
    this.#connection = connection;
    this.#inbound = inbound;
  }

  /** From the first server on: answers $SRV.PING, INFO and STATS, of all, of one name, and of one instance. */
  answer(): void {
    if (this.#answering) return;
    this.#answering = true;
    this.#connection.subscribe("$SRV.>", undefined, (message) => this.#asked(message));
  }

  #asked({ subject, reply }: Incoming): void {
    if (reply === undefined || reply === "") return;
    const [, verb, name, id] = subject.split(".");
    for (const served of this.#inbound.servers) {
      if (name !== undefined && name !== serviceName(served.spec.address)) continue;
      if (id !== undefined && id !== served.spec.instance) continue;
      const answer = answerOf(verb!, served);
      if (answer !== undefined && this.#connection.connected)
        this.#connection.publish(reply, Buffer.from(JSON.stringify(answer)));
    }
  }

  async services(): Promise<readonly ServerRecord[]> {
    const deadline = performance.now() + this.#connection.requestTimeoutMs;
    await this.#connection.whenConnected("services", deadline);
    const records: ServerRecord[] = [];
    let heardAt = performance.now();
    let nobody = false;
    const inbox = createInbox();
    const subscription = this.#connection.subscribe(inbox, undefined, (message) => {
      heardAt = performance.now();
      const block = message.headers;
      if (block !== undefined && readHeaders(block).status === 503) nobody = true;
      else records.push(...recordOf(message));
    });
    try {
      this.#connection.publish("$SRV.STATS", nothing, inbox);
      await this.#connection.sync("services", Math.max(1, deadline - performance.now()));
      heardAt = performance.now();
      while (!nobody && performance.now() - heardAt < quietMs && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      subscription.close();
    }
    return records;
  }
}

function answerOf(verb: string, served: Served): object | undefined {
  const { spec, started, handled, failed, totalMs } = served;
  const { address, instance, methods, version, description } = spec;
  const identity = {
    name: serviceName(address),
    id: instance,
    version: version !== undefined && semantic.test(version) ? version : "0.0.0",
    metadata: {
      "quadrant.address": address,
      ...(version === undefined ? undefined : { "quadrant.version": version }),
      ...(description === undefined ? undefined : { "quadrant.description": description }),
    },
  };
  const endpoint = (method: string) => ({
    name: serviceName(method),
    subject: callSubject(address, method),
    queue_group: queueGroup,
    metadata: { "quadrant.method": method },
  });
  if (verb === "PING") return { type: "io.nats.micro.v1.ping_response", ...identity };
  if (verb === "INFO") {
    const endpoints = methods.map(endpoint);
    return { type: "io.nats.micro.v1.info_response", ...identity, description: description ?? "", endpoints };
  }
  if (verb !== "STATS") return undefined;
  // They are counted for the server as a whole: the first endpoint carries the numbers.
  const endpoints = methods.map((method, at) => ({
    ...endpoint(method),
    num_requests: at === 0 ? handled : 0,
    num_errors: at === 0 ? failed : 0,
    last_error: "",
    processing_time: at === 0 ? Math.round(totalMs * 1e6) : 0,
    average_processing_time: at === 0 && handled > 0 ? Math.round((totalMs * 1e6) / handled) : 0,
  }));
  return { type: "io.nats.micro.v1.stats_response", ...identity, started: started.toISOString(), endpoints };
}

/** What another service's answer says; one that cannot be read is left out. */
function recordOf(message: Incoming): ServerRecord[] {
  try {
    const { name, id, version, metadata, endpoints } = JSON.parse(Buffer.from(message.data).toString("utf8")) as Answer;
    const ends = endpoints ?? [];
    const sum = (of: (endpoint: Endpoint) => number | undefined): number =>
      ends.reduce((total, endpoint) => total + (of(endpoint) ?? 0), 0);
    const handled = sum((endpoint) => endpoint.num_requests);
    const address = metadata?.["quadrant.address"] ?? name;
    const own = metadata?.["quadrant.address"] !== undefined;
    const description = metadata?.["quadrant.description"];
    const told = own ? metadata?.["quadrant.version"] : version;
    return [
      {
        address,
        instance: id,
        methods: ends.map((endpoint) => endpoint.metadata?.["quadrant.method"] ?? endpoint.name),
        ...(told === undefined ? undefined : { version: told }),
        ...(description === undefined ? undefined : { description }),
        handled,
        failed: sum((endpoint) => endpoint.num_errors),
        meanMs: handled === 0 ? 0 : sum((endpoint) => endpoint.processing_time) / 1e6 / handled,
      },
    ];
  } catch {
    return [];
  }
}
