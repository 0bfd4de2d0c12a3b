import type { CallOptions, Client, Service } from "@quadrant/contract";
import { fingerprintOf } from "./fingerprint.ts";
import type { Recorder } from "./recorder.ts";

type Call = Promise<unknown> & AsyncIterable<unknown>;
type StubMethod = (...args: unknown[]) => Call;

/** What a stub's method returns. That it was awaited or iterated is known only when it is: until then it has not returned. */
class RecordedCall implements Promise<unknown>, AsyncIterable<unknown> {
  readonly #recorder: Recorder;
  readonly #n: number;
  readonly #inner: Call;
  #awaited = false;

  constructor(recorder: Recorder, n: number, inner: Call) {
    this.#recorder = recorder;
    this.#n = n;
    this.#inner = inner;
  }

  #await(): Call {
    if (this.#awaited) return this.#inner;
    this.#awaited = true;
    this.#inner.then(
      (value) => this.#recorder.returned(this.#n, { data: fingerprintOf(value) }),
      (error) => this.#recorder.failed(this.#n, "call", error),
    );
    return this.#inner;
  }

  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what it is for
  then<A = unknown, B = never>(
    onValue?: ((value: unknown) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#await().then(onValue, onError);
  }

  catch<B = never>(onError?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<unknown> {
    return this.#await().catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<unknown> {
    return this.#await().finally(onEnd);
  }

  get [Symbol.toStringTag](): string {
    return "Call";
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown, undefined> {
    return recordedItems(this.#recorder, this.#n, "call", this.#inner[Symbol.asyncIterator]());
  }
}

/** Notes down each item, and how the stream ended. */
function recordedItems(
  recorder: Recorder,
  n: number,
  op: string,
  inner: AsyncIterator<unknown>,
): AsyncIterator<unknown, undefined> & AsyncIterable<unknown> {
  return {
    next: async () => {
      try {
        const next = await inner.next();
        if (next.done) {
          recorder.returned(n);
          return { value: undefined, done: true };
        }
        recorder.got(n, { data: fingerprintOf(next.value) });
        return { value: next.value, done: false };
      } catch (error) {
        recorder.failed(n, op, error);
        throw error;
      }
    },
    return: async () => {
      await inner.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** The stub with its calls noted down. */
export function recordedClient<S extends Service<S>>(recorder: Recorder, address: string, inner: Client<S>): Client<S> {
  const methods = new Map<string, StubMethod>();
  return new Proxy(inner, {
    get(stub, name): unknown {
      const value: unknown = Reflect.get(stub, name);
      if (typeof value !== "function" || typeof name === "symbol" || Object.hasOwn(Object.prototype, name))
        return value;
      if (name === "$with") {
        return (options: CallOptions): unknown =>
          recordedClient<S>(recorder, address, (value as (options: CallOptions) => Client<S>)(options));
      }
      let method = methods.get(name);
      if (method === undefined) {
        method = (...args) => {
          const n = recorder.invoke("call", address, { method: name, data: fingerprintOf(args) });
          try {
            return new RecordedCall(recorder, n, (value as StubMethod)(...args));
          } catch (error) {
            recorder.failed(n, "call", error);
            throw error;
          }
        };
        methods.set(name, method);
      }
      return method;
    },
  });
}

/** What a stub's method returns is both, and meant as a promise here. */
function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

/** An execution of a method: an operation of its server. */
function executed(recorder: Recorder, address: string, name: string, run: () => unknown, args: unknown[]): unknown {
  const n = recorder.invoke("execute", address, { method: name, data: fingerprintOf(args) });
  const thrown = (error: unknown): never => {
    recorder.threw(n, error);
    throw error;
  };
  try {
    const result = run();
    if (isPromise(result)) {
      return result.then((value) => {
        recorder.returned(n, { data: fingerprintOf(value) });
        return value;
      }, thrown);
    }
    if (isStream(result)) return recordedStream(recorder, n, result);
    recorder.returned(n, { data: fingerprintOf(result) });
    return result;
  } catch (error) {
    return thrown(error);
  }
}

function recordedStream(recorder: Recorder, n: number, items: AsyncIterable<unknown>): AsyncIterable<unknown> {
  return { [Symbol.asyncIterator]: () => recordedItems(recorder, n, "execute", items[Symbol.asyncIterator]()) };
}

/** The service with the executions of its methods noted down; what is no service is left to be refused. */
export function recordedService(recorder: Recorder, address: string, service: unknown): unknown {
  if (typeof service !== "object" || service === null || Array.isArray(service)) return service;
  const recorded: Record<string, unknown> = Object.create(null);
  const names = new Set<string>();
  for (let at: object | null = service; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const value: unknown = Object.getOwnPropertyDescriptor(at, name)?.value;
      if (typeof value !== "function" || names.has(name) || (name === "constructor" && at !== service)) continue;
      names.add(name);
      recorded[name] = (...args: unknown[]) =>
        executed(recorder, address, name, () => Reflect.apply(value, service, args), args);
    }
  }
  return recorded;
}
