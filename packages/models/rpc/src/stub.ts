import { type CallOptions, type Client, type Context, checkName, type Service } from "@quadrant/contract";
import { type CallSettings, mergeOptions, noSettings } from "./call-options.ts";
import { isReserved } from "./method.ts";
import { OutboundCall } from "./outbound-call.ts";

/** What a stub's method returns: awaited like a promise, or iterated. Nothing is unhandled when it is neither. */
class CallResult implements Promise<unknown>, AsyncIterable<unknown> {
  readonly #call: OutboundCall;

  constructor(call: OutboundCall) {
    this.#call = call;
  }

  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what it is for
  then<A = unknown, B = never>(
    onValue?: ((value: unknown) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#call.settled().then(onValue, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<unknown> {
    return this.#call.settled().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<unknown> {
    return this.#call.settled().finally(onEnd);
  }

  get [Symbol.toStringTag](): string {
    return "Call";
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return this.#call.iterate();
  }
}

/** Methods that a stub keeps, once they were asked for. */
const maxMethods = 256;

type StubMethod = (...args: unknown[]) => CallResult;

class StubHandler implements ProxyHandler<object> {
  readonly #context: Context;
  readonly #address: string;
  readonly #settings: CallSettings;
  readonly #methods = new Map<string, StubMethod>();

  constructor(context: Context, address: string, settings: CallSettings) {
    this.#context = context;
    this.#address = address;
    this.#settings = settings;
  }

  get(target: object, name: string | symbol): unknown {
    if (typeof name === "symbol") return undefined;
    const known = this.#methods.get(name);
    if (known !== undefined) return known;
    if (name === "$with") {
      return (options: CallOptions): unknown =>
        makeStub(this.#context, this.#address, mergeOptions(this.#settings, options));
    }
    // Those of Object.prototype are the stub's own; `then` and its like are not there at all.
    if (isReserved(name)) return Reflect.get(target, name);
    return this.#method(name);
  }

  #method(name: string): StubMethod {
    const method: StubMethod = (...args) =>
      new CallResult(new OutboundCall(this.#context, this.#address, name, args, this.#settings));
    if (this.#methods.size < maxMethods) this.#methods.set(name, method);
    return method;
  }

  /** A stub has no members to set, list or delete. */
  set(): boolean {
    return false;
  }
}

function makeStub(context: Context, address: string, settings: CallSettings): object {
  return new Proxy(Object.freeze({}), new StubHandler(context, address, settings));
}

/**
 * A typed stub of what is served at `address`. A call is sent at once; what it returns can be awaited or iterated.
 * Throws "invalid" for a bad address or options. Calls reject with "no-responder" at once where nobody serves,
 * "timeout" after timeoutMs (milliseconds; default the connection's requestTimeoutMs; for a stream, per item),
 * "aborted", "remote" with what the method threw, "invalid" for a method that is not there, "codec", "too-large",
 * "indefinite" when the server went away, "closed".
 */
export function client<S extends Service<S>>(context: Context, address: string, options?: CallOptions): Client<S> {
  checkName("address", address);
  return makeStub(context, address, mergeOptions(noSettings, options)) as Client<S>;
}
