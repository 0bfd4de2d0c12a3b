import type {
  CallRequest,
  Calls,
  InboundCall,
  OutboundCall,
  Registration,
  ReplySink,
  ServerRecord,
  ServerSpec,
} from "@quadrant/contract";
import type { NatsConnection } from "../connection.ts";
import { Directory } from "./directory.ts";
import { InboundCalls } from "./inbound.ts";
import { Liveness } from "./liveness.ts";
import { OutboundCalls } from "./outbound.ts";

/** Calls are requests; other NATS clients can make them, and be called as services. */
export class NatsCalls implements Calls {
  readonly #liveness: Liveness;
  readonly #outbound: OutboundCalls;
  readonly #inbound: InboundCalls;
  readonly #directory: Directory;

  constructor(connection: NatsConnection) {
    this.#liveness = new Liveness(connection);
    this.#outbound = new OutboundCalls(connection, this.#liveness);
    this.#inbound = new InboundCalls(connection, this.#liveness);
    this.#directory = new Directory(connection, this.#inbound);
  }

  async serve(spec: ServerSpec, accept: (call: InboundCall) => void): Promise<Registration> {
    this.#directory.answer();
    const end = await this.#inbound.serve(spec, accept);
    let closing: Promise<void> | undefined;
    return {
      close: () => {
        closing ??= end();
        return closing;
      },
    };
  }

  call(request: CallRequest, replies: ReplySink): OutboundCall {
    return this.#outbound.call(request, replies);
  }

  services(): Promise<readonly ServerRecord[]> {
    return this.#directory.services();
  }

  /** Both sides of every call are told; the caller sees to it that it is sent. */
  close(): void {
    this.#inbound.close();
    this.#outbound.close();
    this.#liveness.close();
  }
}
