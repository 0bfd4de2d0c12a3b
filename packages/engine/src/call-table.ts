import type {
  BusError,
  CallControl,
  CallRequest,
  Calls,
  InboundCall,
  OutboundCall,
  Registration,
  ReplyFrame,
  ReplySink,
  ServerRecord,
  ServerSpec,
} from "@quadrant/contract";
import type { Interest, Owner } from "./owner.ts";
import type { Setting } from "./setting.ts";

interface CallServer {
  readonly spec: ServerSpec;
  readonly owner: Owner;
  readonly accept: (call: InboundCall) => void;
  handled: number;
  failed: number;
  totalMs: number;
}

/** The servers of one address, and whose turn it is. */
class Address {
  readonly servers: CallServer[] = [];
  #turn = 0;

  /** The next that is none of `tried`. */
  next(tried: readonly CallServer[]): CallServer | undefined {
    for (let i = 0; i < this.servers.length; i++) {
      if (this.#turn >= this.servers.length) this.#turn = 0;
      const server = this.servers[this.#turn++]!;
      if (!tried.includes(server)) return server;
    }
    return undefined;
  }

  remove(server: CallServer): void {
    const at = this.servers.indexOf(server);
    if (at === -1) return;
    this.servers.splice(at, 1);
    if (at < this.#turn) this.#turn--;
  }
}

const untried: readonly CallServer[] = [];

/** What one server has of a call: nothing more, once the call is over or with another server. */
class Assignment implements InboundCall, Interest {
  readonly server: CallServer;
  readonly #call: Call;
  control: CallControl | undefined;
  seat: number | undefined = undefined;

  constructor(call: Call, server: CallServer) {
    this.#call = call;
    this.server = server;
    this.control = undefined;
  }

  get request(): CallRequest {
    return this.#call.request;
  }

  reply(frame: ReplyFrame): void {
    if (this.#call.isWith(this)) this.#call.reply(frame);
  }

  refuse(): void {
    if (this.#call.isWith(this)) this.#call.refused();
  }

  onControl(listener: CallControl): void {
    if (this.#call.isWith(this)) this.control = listener;
  }

  /** The server's session has ended. */
  end(): void {
    if (this.#call.isWith(this)) this.#call.serverGone();
  }
}

/** One call between its caller and its server. Over with the last frame, a failure, or the caller's cancel. */
class Call implements OutboundCall, Interest {
  readonly #table: CallTable;
  readonly #caller: Owner;
  readonly request: CallRequest;
  readonly #sink: ReplySink;
  /** Servers that have refused it. */
  #tried: readonly CallServer[] = untried;
  #assignment: Assignment | undefined;
  #startedAt = 0;
  #over = false;
  /** Among what ends with its caller's session. */
  seat: number | undefined = undefined;

  constructor(table: CallTable, caller: Owner, request: CallRequest, sink: ReplySink) {
    this.#table = table;
    this.#caller = caller;
    this.request = request;
    this.#sink = sink;
    caller.interests.add(this);
  }

  isWith(assignment: Assignment): boolean {
    return this.#assignment === assignment;
  }

  /** Hands the call to the next server. */
  send(): void {
    if (this.#over) return;
    const { address } = this.request;
    const server = this.#table.pick(address, this.#tried);
    if (server === undefined) {
      this.#fail(
        this.#table.setting.fault("no-responder", `nobody serves ${address}: start a server, then call again`),
      );
      return;
    }
    this.#startedAt = this.#table.setting.now();
    const assignment = new Assignment(this, server);
    this.#assignment = assignment;
    server.owner.interests.add(assignment);
    server.accept(assignment);
  }

  credit(items: number): void {
    this.#assignment?.control?.credit(items);
  }

  cancel(): void {
    if (this.#over) return;
    const control = this.#assignment?.control;
    if (this.#assignment !== undefined) this.#count(true);
    this.#end();
    control?.cancel();
  }

  /** The caller's session has ended. */
  end(error: BusError): void {
    this.cancel();
    this.#sink.fail(error);
  }

  // -- from the server that has it

  reply(frame: ReplyFrame): void {
    if (frame.kind !== "item") {
      this.#count(frame.kind === "error");
      this.#end();
    }
    this.#sink.reply(frame);
  }

  refused(): void {
    this.#tried = [...this.#tried, this.#assignment!.server];
    this.#leaveServer();
    this.send();
  }

  serverGone(): void {
    this.#fail(
      this.#table.setting.fault(
        "indefinite",
        `the server of ${this.request.address} went away: the call may or may not have been executed`,
      ),
    );
  }

  #fail(error: BusError): void {
    if (this.#over) return;
    this.#end();
    this.#sink.fail(error);
  }

  #count(failed: boolean): void {
    const { server } = this.#assignment!;
    server.handled++;
    if (failed) server.failed++;
    server.totalMs += this.#table.setting.now() - this.#startedAt;
  }

  #leaveServer(): void {
    const assignment = this.#assignment;
    this.#assignment = undefined;
    if (assignment !== undefined) assignment.server.owner.interests.delete(assignment);
  }

  #end(): void {
    this.#over = true;
    this.#leaveServer();
    this.#caller.interests.delete(this);
    this.#table.ended();
  }
}

/** Who serves what, and the calls in flight. */
export class CallTable {
  readonly setting: Setting;
  readonly #addresses = new Map<string, Address>();
  #servers = 0;
  #inFlight = 0;
  /** Made in this turn and to be handed to their servers at its end. */
  #made: Call[] = [];

  constructor(setting: Setting) {
    this.setting = setting;
  }

  /** The capability as one session has it. */
  facet(owner: Owner): Calls {
    return {
      serve: (spec, accept) => owner.run(() => this.#serve(owner, spec, accept)),
      call: (request, replies) => this.#call(owner, request, replies),
      services: () => owner.run(() => this.#records()),
    };
  }

  pick(address: string, tried: readonly CallServer[]): CallServer | undefined {
    return this.#addresses.get(address)?.next(tried);
  }

  ended(): void {
    this.#inFlight--;
  }

  describe(): Record<string, number> {
    return { servers: this.#servers, inFlight: this.#inFlight };
  }

  /** Neither the server nor the caller's sink is called before this has returned. */
  #call(owner: Owner, request: CallRequest, sink: ReplySink): OutboundCall {
    if (owner.closed) {
      queueMicrotask(() => sink.fail(owner.closedError()));
      return { credit: () => undefined, cancel: () => undefined };
    }
    this.#inFlight++;
    const call = new Call(this, owner, request, sink);
    if (this.#made.push(call) === 1) queueMicrotask(this.#sendMade);
    return call;
  }

  readonly #sendMade = (): void => {
    const made = this.#made;
    this.#made = [];
    for (const call of made) call.send();
  };

  #serve(owner: Owner, spec: ServerSpec, accept: (call: InboundCall) => void): Registration {
    const server: CallServer = { spec, owner, accept, handled: 0, failed: 0, totalMs: 0 };
    let address = this.#addresses.get(spec.address);
    if (address === undefined) {
      address = new Address();
      this.#addresses.set(spec.address, address);
    }
    const joined = address;
    joined.servers.push(server);
    this.#servers++;
    let gone = false;
    const leave = (): void => {
      if (gone) return;
      gone = true;
      this.#servers--;
      owner.interests.delete(interest);
      joined.remove(server);
      if (joined.servers.length === 0) this.#addresses.delete(spec.address);
    };
    const interest: Interest = { end: leave };
    owner.interests.add(interest);
    return {
      // Calls in flight go on: their server finishes them.
      close: () => {
        leave();
        return Promise.resolve();
      },
    };
  }

  #records(): ServerRecord[] {
    const records: ServerRecord[] = [];
    for (const { servers } of this.#addresses.values()) {
      for (const { spec, handled, failed, totalMs } of servers) {
        records.push({ ...spec, handled, failed, meanMs: handled === 0 ? 0 : totalMs / handled });
      }
    }
    return records.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }
}
