/** What a template's type makes of its matches. `tsc` is the judge: at run time these assertions hold nothing. */
import { describe, expectTypeOf, it } from "vitest";
import {
  any,
  between,
  type Field,
  type FieldOf,
  type Formal,
  type Hole,
  type Match,
  oneOf,
  partial,
  prefix,
  type Template,
} from "./index.ts";

/** As the operations of a space take it. */
declare function matched<const P extends Template>(template: P): Match<P>;
declare function put<const T>(tuple: T & FieldOf<T>): void;

/** Compiled, never run. */
function compiled(_work: () => void): void {}

describe("Match", () => {
  it("of every formal", () => {
    expectTypeOf<Match<typeof any>>().toEqualTypeOf<Field>();
    expectTypeOf<Match<StringConstructor>>().toEqualTypeOf<string>();
    expectTypeOf<Match<NumberConstructor>>().toEqualTypeOf<number>();
    expectTypeOf<Match<BooleanConstructor>>().toEqualTypeOf<boolean>();
    expectTypeOf<Match<BigIntConstructor>>().toEqualTypeOf<bigint>();
    expectTypeOf<Match<Uint8ArrayConstructor>>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<Match<ArrayConstructor>>().toEqualTypeOf<readonly Field[]>();
    expectTypeOf<Match<ObjectConstructor>>().toEqualTypeOf<{ readonly [key: string]: Field }>();
    expectTypeOf<Match<Formal<"x" | 1>>>().toEqualTypeOf<"x" | 1>();
    compiled(() => {
      expectTypeOf(matched([between(1, 2)])).toEqualTypeOf<readonly [number]>();
      expectTypeOf(matched([between(1n, 2n)])).toEqualTypeOf<readonly [bigint]>();
      expectTypeOf(matched([between("a", "b")])).toEqualTypeOf<readonly [string]>();
      expectTypeOf(matched([oneOf("a", 1, null)])).toEqualTypeOf<readonly ["a" | 1 | null]>();
      expectTypeOf(matched([prefix("job.")])).toEqualTypeOf<readonly [`job.${string}`]>();
    });
  });

  it("of actuals is what they are", () => {
    expectTypeOf<Match<readonly ["a", 1, 2n, true, null]>>().toEqualTypeOf<readonly ["a", 1, 2n, true, null]>();
    expectTypeOf<Match<Uint8Array>>().toEqualTypeOf<Uint8Array>();
    compiled(() => {
      expectTypeOf(matched([new Uint8Array(1)])).toEqualTypeOf<readonly [Uint8Array]>();
      expectTypeOf(matched([])).toEqualTypeOf<readonly []>();
    });
  });

  it("of positional, record, nested and partial templates", () => {
    compiled(() => {
      expectTypeOf(matched(["task", Number, any])).toEqualTypeOf<readonly ["task", number, Field]>();
      expectTypeOf(matched({ kind: "task", n: Number })).toEqualTypeOf<{
        readonly kind: "task";
        readonly n: number;
      }>();
      expectTypeOf(matched(["at", [Number, { unit: oneOf("s", "ms") }]])).toEqualTypeOf<
        readonly ["at", readonly [number, { readonly unit: "s" | "ms" }]]
      >();
      const open = matched(partial({ kind: "task", at: [Number, any] }));
      expectTypeOf(open.kind).toEqualTypeOf<"task">();
      expectTypeOf(open.at).toEqualTypeOf<readonly [number, Field]>();
      expectTypeOf(open.more).toEqualTypeOf<Field | undefined>();
      const inside = matched(["in", partial({ n: BigInt })]);
      expectTypeOf(inside[1].n).toEqualTypeOf<bigint>();
    });
  });

  it("of a template that is only known by its type", () => {
    expectTypeOf<Match<readonly Hole[]>[number]>().toExtend<Field>();
    interface Order {
      readonly id: NumberConstructor;
      readonly name: StringConstructor;
    }
    expectTypeOf<Match<Order>>().toEqualTypeOf<{ readonly id: number; readonly name: string }>();
  });

  it("has no place for what is no hole", () => {
    compiled(() => {
      // @ts-expect-error undefined
      matched([undefined]);
      // @ts-expect-error a date
      matched([Date]);
      // @ts-expect-error a symbol of somebody's own
      matched([Symbol("any")]);
      // @ts-expect-error no template at all
      matched("task");
      // @ts-expect-error a formal of a field stands for no tuple
      matched(prefix("job."));
      // @ts-expect-error bounds of different kinds
      matched([between(1, "2")]);
    });
  });
});

describe("FieldOf", () => {
  it("leaves what is a field as it is", () => {
    expectTypeOf<FieldOf<"a">>().toEqualTypeOf<"a">();
    expectTypeOf<FieldOf<Uint8Array>>().toEqualTypeOf<Uint8Array>();
    expectTypeOf<FieldOf<null | 1n>>().toEqualTypeOf<null | 1n>();
    interface Task {
      readonly kind: "task";
      readonly parts: readonly { readonly n: number }[];
    }
    expectTypeOf<Task>().toExtend<FieldOf<Task>>();
    compiled(() => {
      const task: Task = { kind: "task", parts: [{ n: 1 }] };
      put(task);
      put(["wrapped", task, [task]]);
    });
  });

  it("is never for what no codec carries, however deep", () => {
    expectTypeOf<FieldOf<undefined>>().toEqualTypeOf<never>();
    expectTypeOf<FieldOf<symbol>>().toEqualTypeOf<never>();
    expectTypeOf<FieldOf<() => void>>().toEqualTypeOf<never>();
    expectTypeOf<FieldOf<abstract new () => object>>().toEqualTypeOf<never>();
    interface Job {
      readonly run: () => void;
    }
    compiled(() => {
      // @ts-expect-error a method, in an interface
      put({ job: undefined as unknown as Job });
      // @ts-expect-error undefined, in an array
      put(["a", [1, undefined]]);
      // @ts-expect-error a formal, in a record
      put({ n: Number });
      // @ts-expect-error the wildcard
      put(["a", any]);
    });
  });
});
