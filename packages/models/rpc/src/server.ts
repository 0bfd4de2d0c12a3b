import { randomUUID } from "node:crypto";
import {
  after,
  BusError,
  type Context,
  checkCount,
  checkName,
  type Drainable,
  type InboundCall as DriverCall,
  type Registration,
  Roster,
  type ServeOptions,
  type Server,
  type Service,
} from "@quadrant/contract";
import { callsFromHere, type InCall } from "./call-scope.ts";
import { Deadlines } from "./deadlines.ts";
import { InboundCall } from "./inbound-call.ts";
import { type Method, methodsOf } from "./method.ts";

/** Calls that run at once where no concurrency is given: as they come, but not without end. */
const maxRunning = 65_536;
/** Calls that wait for a server of bounded concurrency; one more is "overflow" to its caller. */
const maxWaiting = 10_000;
/** How long dispose waits for running calls: as `bus.close` does by default. */
const disposeMs = 10_000;
/** How many methods a message names. */
const maxNamed = 50;

const printable = /^[^\p{Cc}\p{Cs}]{1,1024}$/u;

function checkText(name: string, text: string | undefined): void {
  if (text !== undefined && (typeof text !== "string" || !printable.test(text))) {
    throw new BusError("invalid", `${name}: give 1 to 1024 characters without control characters`);
  }
}

class AddressServer implements Server, Drainable {
  readonly address: string;
  readonly instance: string = randomUUID();
  readonly methods: ReadonlyMap<string, Method>;
  readonly #context: Context;
  readonly #service: object;
  readonly #concurrency: number;
  readonly #deadlines: Deadlines;
  readonly #inCall: InCall = callsFromHere();
  readonly #running = new Roster<InboundCall>();
  readonly #waiting = new Set<InboundCall>();
  #handled = 0;
  #stopping = false;
  #abandoned = false;
  #registration: Registration | undefined;
  #untrack: (() => void) | undefined;
  #idle: (() => void)[] = [];
  #disposed: Promise<void> | undefined;

  constructor(context: Context, address: string, service: object, concurrency: number) {
    this.#context = context;
    this.#deadlines = Deadlines.of(context);
    this.address = address;
    this.methods = methodsOf(service);
    this.#service = service;
    this.#concurrency = concurrency;
  }

  get handled(): number {
    return this.#handled;
  }

  registered(registration: Registration): void {
    this.#registration = registration;
    this.#untrack = this.#context.track(this);
  }

  /** Takes a call from the driver; never throws. */
  accept(call: DriverCall): void {
    if (this.#stopping) {
      call.refuse();
      return;
    }
    const inbound = new InboundCall(call, this.#context.bodies, this.address, this.#deadlines);
    const method = this.methods.get(inbound.method);
    if (method === undefined) {
      const names = [...this.methods.keys()];
      const shown = names.length > maxNamed ? `${names.slice(0, maxNamed).join(", ")}, …` : names.join(", ");
      inbound.refuse("invalid", `no such method; there are ${shown}`);
    } else if (this.#running.size < this.#concurrency) this.#run(inbound, method);
    else if (this.#waiting.size >= maxWaiting) {
      inbound.refuse("overflow", `${maxWaiting} calls wait already; call later or serve with more concurrency`);
    } else {
      this.#waiting.add(inbound);
      inbound.onLeave = () => this.#waiting.delete(inbound);
    }
  }

  #run(call: InboundCall, method: Method): void {
    this.#running.add(call);
    const running = call.run(method, this.#service, this.#inCall);
    if (running === undefined) this.#ran(call);
    else void running.then(() => this.#ranOn(call));
  }

  #ran(call: InboundCall): void {
    this.#running.delete(call);
    this.#handled++;
  }

  /** Ran longer than the turn in which it was started: others may have had to wait for it. */
  #ranOn(call: InboundCall): void {
    this.#ran(call);
    this.#startNext();
    if (this.#running.size > 0) return;
    for (const idle of this.#idle.splice(0)) idle();
  }

  #startNext(): void {
    for (const next of this.#waiting) {
      if (this.#running.size >= this.#concurrency) return;
      this.#waiting.delete(next);
      next.onLeave = undefined;
      // Its caller gave up by its own clock; starting it now would be work for nobody.
      if (next.pointless) next.refuse("timeout", "the deadline passed before the call could start");
      else this.#run(next, this.methods.get(next.method)!);
    }
  }

  /** Stops taking calls, hands back those that wait, lets the running ones finish. */
  async drain(): Promise<void> {
    this.#stopping = true;
    for (const waiting of this.#waiting) waiting.handBack();
    this.#waiting.clear();
    await this.#registration?.close();
    if (this.#running.size > 0 && !this.#abandoned) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  abandon(): void {
    this.#stopping = true;
    this.#abandoned = true;
    for (const waiting of this.#waiting) waiting.handBack();
    this.#waiting.clear();
    for (const running of this.#running) running.abandon();
    for (const idle of this.#idle.splice(0)) idle();
    void this.#registration?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = after(disposeMs, () => {
        this.abandon();
        resolve();
      });
      void this.drain().then(() => {
        cancel();
        resolve();
      });
    });
    this.#untrack?.();
  }
}

/**
 * Serves every method of `service`, its class's included, at `address`; resolves once calls can arrive. An async
 * generator method streams, paused while its caller is behind. Disposing the server stops the intake and lets running
 * calls finish, for at most 10 000 ms. Throws "invalid" for a bad address, service or option, "closed", "unsupported".
 */
export async function serve<S extends Service<S>>(
  context: Context,
  address: string,
  service: S,
  options: ServeOptions = {},
): Promise<Server> {
  context.assertIntake();
  checkName("address", address);
  checkCount("concurrency", options.concurrency);
  checkText("version", options.version);
  checkText("description", options.description);
  const server = new AddressServer(context, address, service as unknown as object, options.concurrency ?? maxRunning);
  const calls = context.driver.calls;
  if (calls === undefined) {
    throw new BusError("unsupported", `the driver ${context.driver.name} has no calls`, {
      driver: context.driver.name,
    });
  }
  const { version, description } = options;
  const spec = { address, instance: server.instance, methods: [...server.methods.keys()], version, description };
  server.registered(await calls.serve(spec, (call) => server.accept(call)));
  return server;
}
