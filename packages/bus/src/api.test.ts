/** The public shapes, fixed. What counts here is that it compiles: `tsc` is the judge, the assertions hold nothing at run time. */
import { describe, expectTypeOf, it } from "vitest";
import {
  any,
  type Bus,
  type BusError,
  type BusErrorCode,
  between,
  bytes,
  type Client,
  type Codec,
  callContext,
  connect,
  type Delivery,
  type Field,
  type json,
  type Letter,
  type Log,
  type LogEntry,
  type Mailbox,
  type Match,
  type Message,
  msgpack,
  oneOf,
  partial,
  prefix,
  type StandardSchema,
  type Subscription,
  type Tuple,
  type TupleSpace,
} from "./index.ts";

declare const bus: Bus;
declare const space: TupleSpace;

/** Compiled, never run. */
function compiled(_work: () => unknown): void {}

describe("the bus", () => {
  it("is what connect resolves with, and disposable", () => {
    expectTypeOf(connect).parameter(0).toEqualTypeOf<string | URL>();
    expectTypeOf(connect).returns.resolves.toEqualTypeOf<Bus>();
    expectTypeOf<Bus>().toExtend<AsyncDisposable>();
    expectTypeOf<Bus["driver"]>().toEqualTypeOf<"memory" | "file" | "zeromq" | "nats" | "redis">();
    expectTypeOf<Codec>().toEqualTypeOf<typeof json>();
    expectTypeOf(bytes).toEqualTypeOf<Codec>();
    expectTypeOf(msgpack).toEqualTypeOf<Codec>();
    compiled(() => connect("memory:", { name: undefined, codec: undefined, timeoutMs: undefined, auth: undefined }));
    // @ts-expect-error an option that does not exist
    compiled(() => connect("memory:", { timeout: 5 }));
  });

  it("types messages by what is said or by the schema", () => {
    interface Order {
      readonly id: number;
    }
    const schema = undefined as unknown as StandardSchema<Order>;
    compiled(async () => {
      expectTypeOf(await bus.subscribe("a")).toEqualTypeOf<Subscription<Message<unknown>>>();
      expectTypeOf(await bus.subscribe<Order>("a")).toEqualTypeOf<Subscription<Message<Order>>>();
      expectTypeOf(await bus.subscribe("a", { schema })).toEqualTypeOf<Subscription<Message<Order>>>();
      expectTypeOf(await bus.mailbox("a", { schema })).toEqualTypeOf<Mailbox<Order>>();
      expectTypeOf(await bus.log("a", { schema })).toEqualTypeOf<Log<Order>>();
      const mailbox = await bus.mailbox<Order>("a");
      expectTypeOf(await mailbox.receive()).toEqualTypeOf<Subscription<Delivery<Order>>>();
      expectTypeOf(await mailbox.peek()).toEqualTypeOf<readonly Letter<Order>[]>();
      const log = await bus.log<Order>("a");
      expectTypeOf(log.read()).toEqualTypeOf<AsyncIterable<LogEntry<Order>>>();
      // @ts-expect-error not an order
      await mailbox.send({ id: "1" });
      // @ts-expect-error a sendMany gives no id
      await mailbox.sendMany([{ id: 1 }], { id: "x" });
    });
  });

  it("fails with codes to branch on", () => {
    expectTypeOf<BusError["code"]>().toEqualTypeOf<BusErrorCode>();
    expectTypeOf<"stale">().toExtend<BusErrorCode>();
    expectTypeOf<BusError["remote"]>().toEqualTypeOf<
      { readonly name: string; readonly message: string; readonly code?: string | undefined } | undefined
    >();
  });
});

describe("stubs", () => {
  class Calc {
    add(a: number, b: number): number {
      return a + b;
    }
    async later(text: string): Promise<string> {
      return text;
    }
    async *count(to: number): AsyncGenerator<number, void> {
      for (let i = 0; i < to; i++) yield i;
    }
    optional(a: number, b?: string): void {
      void a;
      void b;
    }
  }

  it("give promises of values and iterables of streams", () => {
    compiled(() => {
      const calc = bus.client<Calc>("calc");
      expectTypeOf(calc).toEqualTypeOf<Client<Calc>>();
      expectTypeOf(calc.add).toEqualTypeOf<(a: number, b: number) => Promise<number>>();
      expectTypeOf(calc.later).toEqualTypeOf<(text: string) => Promise<string>>();
      expectTypeOf(calc.count).toEqualTypeOf<(to: number) => AsyncIterable<number>>();
      expectTypeOf(calc.optional).toEqualTypeOf<(a: number, b?: string) => Promise<void>>();
      expectTypeOf(calc.$with({ timeoutMs: 1 })).toEqualTypeOf<Client<Calc>>();
      // @ts-expect-error a number is no text
      void calc.later(5);
      // @ts-expect-error no such method
      void calc.mul(1, 2);
    });
  });

  it("take services of classes, literals and interfaces", () => {
    compiled(async () => {
      await bus.serve("calc", new Calc());
      await bus.serve("calc", { add: (a: number, b: number) => a + b });
      await bus.serve<{ add(a: number): number }>("calc", { add: (a) => a });
      // @ts-expect-error a member that cannot be called
      await bus.serve("calc", { value: 5 });
    });
    expectTypeOf(callContext()).toExtend<{ readonly signal: AbortSignal; readonly deadline: Date } | undefined>();
  });
});

describe("tuples", () => {
  it("have the type that their template says", () => {
    compiled(async () => {
      expectTypeOf(await space.in(["task", Number, any])).toEqualTypeOf<readonly ["task", number, Field]>();
      expectTypeOf(await space.rd({ kind: "job", at: between(1, 5), id: BigInt })).toEqualTypeOf<{
        readonly kind: "job";
        readonly at: number;
        readonly id: bigint;
      }>();
      expectTypeOf(await space.inp([String, Boolean, Uint8Array])).toEqualTypeOf<
        readonly [string, boolean, Uint8Array] | undefined
      >();
      expectTypeOf(await space.rdAll([oneOf("a", 1), prefix("x-")])).toEqualTypeOf<
        readonly (readonly ["a" | 1, `x-${string}`])[]
      >();
      expectTypeOf((await space.claim([["nested", Number], null])).tuple).toEqualTypeOf<
        readonly [readonly ["nested", number], null]
      >();
      const open = await space.in(partial({ kind: "job" }));
      expectTypeOf(open.kind).toEqualTypeOf<"job">();
      expectTypeOf(open.other).toEqualTypeOf<Field | undefined>();
      expectTypeOf(await space.in([Array, Object])).toEqualTypeOf<
        readonly [readonly Field[], { readonly [key: string]: Field }]
      >();
    });
    expectTypeOf<Match<readonly [typeof any, StringConstructor]>>().toEqualTypeOf<readonly [Field, string]>();
    expectTypeOf<Tuple>().toExtend<Field>();
  });

  it("may be interfaces and literals, never functions, symbols, undefined or formals", () => {
    interface Task {
      readonly kind: "task";
      readonly parts: readonly number[];
    }
    compiled(async () => {
      const task: Task = { kind: "task", parts: [1] };
      await space.out(task);
      await space.out(["a", 1, { b: [null, 2n] }], { leaseMs: 5, timeoutMs: undefined });
      await space.out([new Uint8Array(1)]);
      // @ts-expect-error a function
      await space.out([() => 1]);
      // @ts-expect-error a symbol
      await space.out([Symbol("x")]);
      // @ts-expect-error undefined
      await space.out([undefined]);
      // @ts-expect-error a formal
      await space.out([String]);
      // @ts-expect-error the wildcard
      await space.out([any]);
      // @ts-expect-error bounds of different kinds
      await space.in([between(1, "2")]);
    });
  });
});
