import { type Bus, type BusError, connect, type Subscription } from "@quadrant/bus";
import { firstValueFrom, lastValueFrom, map, take, toArray } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { toObservable } from "./to-observable.ts";

let bus: Bus;
beforeEach(async () => {
  bus = await connect("memory:");
});
afterEach(() => bus.close({ drainMs: 0 }));

/** A subscription that yields what it is told to, and knows whether it was disposed. */
class Idle implements Subscription<number> {
  readonly dropped = 0;
  disposed = 0;
  nexts = 0;
  #end: (result: IteratorResult<number, undefined>) => void = () => undefined;
  [Symbol.asyncIterator](): AsyncIterator<number, undefined> {
    return {
      next: () => {
        this.nexts++;
        return new Promise((resolve) => {
          this.#end = resolve;
        });
      },
    };
  }
  give(value: number): void {
    this.#end({ value, done: false });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed++;
    this.#end({ value: undefined, done: true });
  }
}

describe("an observable of a subscription", () => {
  it("emits its messages, and completes when the bus ends it", async () => {
    const subscription = await bus.subscribe<number>("n");
    const all = lastValueFrom(
      toObservable(subscription).pipe(
        map(({ data }) => data),
        toArray(),
      ),
    );
    for (let i = 0; i < 100; i++) await bus.publish("n", i);
    await bus.close();
    expect(await all).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("passes an error on, after what came before it", async () => {
    const subscription = await bus.subscribe<number>("n", { buffer: 2, overflow: "error" });
    for (let i = 0; i < 3; i++) await bus.publish("n", i);
    const seen: number[] = [];
    const error = await new Promise<BusError>((resolve) => {
      toObservable(subscription).subscribe({ next: ({ data }) => seen.push(data), error: resolve });
    });
    expect(error.code).toBe("overflow");
    expect(seen).toEqual([0, 1]);
  });

  it("can be subscribed once; one of an opener, each for itself", async () => {
    const once = toObservable(await bus.subscribe("n"));
    const first = once.subscribe();
    const error = await new Promise<BusError>((resolve) => {
      once.subscribe({ error: resolve });
    });
    expect(error.code).toBe("invalid");
    first.unsubscribe();
    const idles: Idle[] = [];
    const each = toObservable(async () => {
      const idle = new Idle();
      idles.push(idle);
      return idle;
    });
    const both = Promise.all([firstValueFrom(each), firstValueFrom(each)]);
    await vi.waitFor(() => expect(idles.map(({ nexts }) => nexts)).toEqual([1, 1]));
    for (const [i, idle] of idles.entries()) idle.give(i);
    expect(await both).toEqual([0, 1]);
  });
});

describe("unsubscribing", () => {
  it("disposes an idle subscription at once", async () => {
    const idle = new Idle();
    const complete = vi.fn();
    const watching = toObservable(idle).subscribe({ complete });
    await vi.waitFor(() => expect(idle.nexts).toBe(1));
    watching.unsubscribe();
    expect(idle.disposed).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(complete).not.toHaveBeenCalled();
    expect(idle.nexts).toBe(1);
  });

  it("of a bus's idle subscription leaves nothing behind", async () => {
    const subscription = await bus.subscribe("n");
    const watching = toObservable(subscription).subscribe();
    watching.unsubscribe();
    // A subscription that has ended hands over nothing more.
    await bus.publish("n", 1);
    await vi.waitFor(() => expect(() => subscription[Symbol.asyncIterator]()).toThrow());
    expect(subscription.dropped).toBe(0);
  });

  it("while it is being opened disposes what is opened after all", async () => {
    const idle = new Idle();
    const opening = Promise.withResolvers<Idle>();
    const watching = toObservable(() => opening.promise).subscribe();
    watching.unsubscribe();
    expect(idle.disposed).toBe(0);
    opening.resolve(idle);
    await vi.waitFor(() => expect(idle.disposed).toBe(1));
    expect(idle.nexts).toBe(0);
  });

  it("while it is being opened, which then fails, is quiet", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const opening = Promise.withResolvers<Idle>();
    const error = vi.fn();
    toObservable(() => opening.promise)
      .subscribe({ error })
      .unsubscribe();
    opening.reject(new Error("no"));
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(error).not.toHaveBeenCalled();
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("from within, by an operator that has enough, disposes too", async () => {
    const idle = new Idle();
    const first = firstValueFrom(toObservable(idle));
    await vi.waitFor(() => expect(idle.nexts).toBe(1));
    idle.give(5);
    expect(await first).toBe(5);
    await vi.waitFor(() => expect(idle.disposed).toBe(1));
    expect(idle.nexts).toBe(1);
  });

  it("returns an iterator that has nothing to dispose", async () => {
    const returned = vi.fn();
    const source: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          returned();
          return { value: undefined, done: true };
        },
      }),
    };
    const watching = toObservable(source).subscribe();
    await new Promise((resolve) => setImmediate(resolve));
    watching.unsubscribe();
    expect(returned).toHaveBeenCalledOnce();
  });
});

describe("an opener", () => {
  it("that rejects, or throws, is the observable's error", async () => {
    const closed = toObservable(() => bus.subscribe("a..b"));
    await expect(firstValueFrom(closed)).rejects.toMatchObject({ code: "invalid" });
    const thrown = toObservable((): Idle => {
      throw new Error("at once");
    });
    await expect(firstValueFrom(thrown)).rejects.toThrow("at once");
  });

  it("may give a streaming call, which is iterated, and cancelled by leaving", async () => {
    let ended = false;
    await using _server = await bus.serve("count", {
      async *up() {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          ended = true;
        }
      },
    });
    const stub = bus.client<{ up(): AsyncIterable<number> }>("count");
    expect(await lastValueFrom(toObservable(() => stub.up()).pipe(take(40), toArray()))).toHaveLength(40);
    await vi.waitFor(() => expect(ended).toBe(true));
  });
});
