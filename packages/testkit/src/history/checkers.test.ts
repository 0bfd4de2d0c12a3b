import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check } from "./check.ts";
import type { Details } from "./event.ts";
import { type Drawn, sketch } from "./sketch.ts";

const rulesOf = (drawn: readonly Drawn[], killed: readonly string[] = []): string[] =>
  check(sketch(drawn, killed)).violations.map(({ rule }) => rule);

/** Changes the operation that a test names. */
function changing(drawn: readonly Drawn[], which: (each: Drawn) => boolean, change: (each: Drawn) => Drawn): Drawn[] {
  return drawn.map((each) => (which(each) ? change(each) : each));
}

type Got = NonNullable<Drawn["got"]>;
type Plant = readonly [name: string, rule: string, change: (got: Got) => Got];

/** What can go wrong on the way to a receiver: of `got` at least four are there. `other` is like `is`, and was never sent. */
function plantsOn(rules: Readonly<Record<string, string>>, other: (is: Details) => Details): readonly Plant[] {
  const plants: Readonly<Record<string, (got: Got) => Got>> = {
    lose: (got) => got.toSpliced(1, 1),
    duplicate: (got) => [...got, [got.at(-1)![0] + 100_000, got[0]![1]]],
    alter: (got) => got.with(1, [got[1]![0], { ...got[1]![1], data: '"altered"' }]),
    reorder: (got) => got.with(1, [got[1]![0], got[2]![1]]).with(2, [got[2]![0], got[1]![1]]),
    invent: (got) => [...got, [got.at(-1)![0] + 1, other(got[0]![1])]],
  };
  return Object.entries(rules).map(([name, rule]): Plant => [name, rule, plants[name]!]);
}

/** Draws how many there are, and how long each is under way. */
const sizes = fc.array(fc.tuple(fc.nat(900), fc.nat(900)), { minLength: 4, maxLength: 40 });

function always(holds: (times: readonly (readonly [number, number])[]) => unknown): void {
  fc.assert(
    fc.property(sizes, (times) => {
      holds(times);
    }),
  );
}

describe("of mailboxes", () => {
  const drawnBox = (times: readonly (readonly [number, number])[]): Drawn[] => {
    const base = { on: "box" };
    const sends = times.map(
      ([before, after], n): Drawn => ({
        ...{ ...base, process: "sender", op: "mailbox.send", n: n + 1, args: { data: `${n}` } },
        ...{ began: (n + 1) * 2_000 - before, ended: (n + 1) * 2_000 + after, value: { id: `id-${n}` } },
      }),
    );
    const at = (n: number): number => (n + 1) * 2_000 + 1_000;
    const got = times.map((_, n) => [at(n), { id: `id-${n}`, attempt: 1, data: `${n}` }] as const);
    const receive: Drawn = {
      ...{ ...base, process: "receiver", op: "mailbox.receive", n: 1, args: {}, began: 0, ended: 10, got },
    };
    const acks = times.map(
      (_, n): Drawn => ({
        ...{ ...base, process: "receiver", op: "delivery.ack", args: { of: 1, id: `id-${n}`, attempt: 1 } },
        ...{ began: at(n) + 100, ended: at(n) + 200 },
      }),
    );
    const end = at(times.length) + 1_000_000;
    const value = { waiting: 0, held: 0, delayed: 0, dead: 0 };
    const info: Drawn = {
      ...base,
      process: "sender",
      op: "mailbox.info",
      args: {},
      began: end,
      ended: end + 10,
      value,
    };
    return [...sends, receive, ...acks, info];
  };
  const received = ({ op }: Drawn): boolean => op === "mailbox.receive";

  it("random histories that keep every promise pass", () => {
    always((times) => expect(rulesOf(drawnBox(times))).toEqual([]));
  });

  const rules = {
    lose: "lost",
    duplicate: "resurrected",
    alter: "altered",
    reorder: "out-of-order",
    invent: "invented",
  };
  it.each(plantsOn(rules, (is) => ({ ...is, id: "x", data: '"x"' })))(
    "a planted fault is found: %s",
    (_, rule, plant) => {
      fc.assert(
        fc.property(sizes, (times) => {
          const faulty = changing(drawnBox(times), received, (each) => ({ ...each, got: plant(each.got!) }));
          expect(rulesOf(faulty)).toContain(rule);
        }),
      );
    },
  );

  const four = drawnBox([0, 1, 2, 3].map(() => [0, 0]));
  const without = (op: string): Drawn[] => four.filter((each) => each.op !== op);
  const second = (at: number, attempt: number, process = "other"): Drawn => ({
    ...{ process, op: "mailbox.receive", on: "box", n: 1, args: {}, began: 0, ended: 10 },
    got: [[at, { id: "id-0", attempt, data: "0" }]],
  });

  it("a letter is not held by two, and comes back from one that has died or given it back", () => {
    expect(rulesOf([...four, second(3_050, 2)])).toContain("held-twice");
    expect(rulesOf([...without("delivery.ack"), second(4_000_000, 2)], ["receiver"])).toEqual([]);
    const naks = changing(
      four,
      ({ op }) => op === "delivery.ack",
      (each) => ({ ...each, op: "delivery.nak" }),
    );
    expect(rulesOf([...naks, second(4_000_000, 2)])).toEqual([]);
  });

  it("an attempt is counted once", () => {
    expect(rulesOf([...without("delivery.ack"), second(4_000_000, 1)], ["receiver"])).toContain("attempt-twice");
  });

  it("a send that failed sent nothing; one that is indefinite may have", () => {
    const first = ({ value }: Drawn): boolean => value?.id === "id-0";
    const failed = changing(four, first, (each) => ({ ...each, outcome: "failed", code: "unavailable", value: {} }));
    expect(rulesOf(failed)).toContain("failed-yet-there");
    const unknown = changing(four, first, (each) => ({ ...each, outcome: "indefinite", value: {} }));
    expect(rulesOf(unknown)).toEqual([]);
  });

  it("a delay holds", () => {
    const delayed = changing(
      four,
      ({ value }) => value?.id === "id-3",
      (each) => {
        return { ...each, args: { ...each.args, delayMs: 1_000 } };
      },
    );
    expect(rulesOf(delayed)).toContain("early");
  });

  it("what is left is not lost; without a look at what is left nothing is said", () => {
    const lost = changing(four, received, (each) => ({ ...each, got: each.got!.slice(1) }));
    const left = changing(
      lost,
      ({ op }) => op === "mailbox.info",
      (each) => ({ ...each, value: { waiting: 1 } }),
    );
    expect(rulesOf(lost)).toEqual(["lost"]);
    expect(rulesOf(left)).toEqual([]);
    expect(rulesOf(lost.filter(({ op }) => op !== "mailbox.info"))).toEqual([]);
  });
});

describe("of logs", () => {
  const drawnLog = (times: readonly (readonly [number, number])[]): Drawn[] => {
    const appends = times.map(
      ([before, after], n): Drawn => ({
        ...{ process: `p${n % 3}`, op: "log.append", on: "log", args: { subject: "s", data: `${n}`, id: `id-${n}` } },
        ...{ began: (n + 1) * 1_000 - before, ended: (n + 1) * 1_000 + after, value: { seq: n + 1 } },
      }),
    );
    const at = times.length * 1_000 + 5_000;
    const got = times.map((_, n) => [at + n, { seq: n + 1, subject: "s", data: `${n}`, id: `id-${n}` }] as const);
    const read = (process: string): Drawn => ({
      ...{ process, op: "log.read", on: "log", args: { from: "first", to: "end" }, got },
      ...{ began: at - 10, ended: at + times.length },
    });
    return [...appends, read("reader"), read("again")];
  };
  const isReader = ({ process }: Drawn): boolean => process === "reader";

  it("random histories that keep every promise pass", () => {
    always((times) => expect(rulesOf(drawnLog(times))).toEqual([]));
  });

  const rules = {
    lose: "lost",
    duplicate: "read-out-of-order",
    alter: "altered",
    reorder: "read-out-of-order",
    invent: "invented",
  };
  it.each(plantsOn(rules, (is) => ({ ...is, seq: 1_000, data: '"x"' })))(
    "a planted fault is found: %s",
    (_, rule, plant) => {
      fc.assert(
        fc.property(sizes, (times) => {
          const faulty = changing(drawnLog(times), isReader, (each) => ({ ...each, got: plant(each.got!) }));
          expect(rulesOf(faulty)).toContain(rule);
        }),
      );
    },
  );

  const four = drawnLog([0, 1, 2, 3].map(() => [0, 0]));
  const append = (data: string, seq: number, more: Partial<Drawn> = {}): Drawn => ({
    ...{ process: "late", op: "log.append", on: "log", args: { subject: "s", data }, began: 500_000, ended: 500_010 },
    ...{ value: { seq }, ...more },
  });

  it("there is one order, in which what ended earlier stands before what began later", () => {
    expect(rulesOf([...four.filter(({ value }) => value?.seq !== 1), append("0", 1)])).toContain("out-of-order");
  });

  it("a sequence belongs to one entry, an id to one sequence", () => {
    expect(rulesOf([...four, append("x", 4)])).toContain("seq-twice");
    expect(rulesOf([...four, append("0", 9, { args: { subject: "s", data: "0", id: "id-0" } })])).toContain(
      "stored-twice",
    );
    const duplicate = { args: { subject: "s", data: "0", id: "id-0" }, value: { seq: 2, duplicate: true } };
    expect(rulesOf([...four, append("0", 2, duplicate)])).toContain("wrong-duplicate");
  });

  it("every replay is the same", () => {
    const unknown = changing(
      four,
      ({ value }) => value?.seq === 2,
      (each) => ({ ...each, outcome: "indefinite", value: {} }),
    );
    expect(rulesOf(unknown)).toEqual([]);
    const differs = changing(
      unknown,
      ({ process }) => process === "again",
      (each) => {
        return { ...each, got: each.got!.with(1, [each.got![1]![0], { seq: 2, subject: "s", data: "other" }]) };
      },
    );
    expect(rulesOf(differs)).toEqual(["replay-differs"]);
  });

  it("what a durable has acknowledged does not come again", () => {
    const member = (process: string, us: number, attempt: number): Drawn => ({
      ...{ process, op: "log.subscribe", on: "log", n: 1, args: { durable: "d" }, began: 0, ended: 10 },
      got: [[us, { id: "e", seq: 1, attempt, subject: "s", data: "0" }]],
    });
    const ack: Drawn = {
      ...{ process: "one", op: "delivery.ack", on: "log", args: { of: 1, id: "e", attempt: 1 } },
      ...{ began: 600_000, ended: 600_010 },
    };
    expect(rulesOf([...four, member("one", 500_000, 1), ack])).toEqual([]);
    expect(rulesOf([...four, member("one", 500_000, 1), ack, member("two", 700_000, 2)])).toEqual(["resurrected"]);
  });
});

describe("of publish/subscribe", () => {
  const drawnTopic = (times: readonly (readonly [number, number])[]): Drawn[] => {
    const published = times.map(
      ([before, after], n): Drawn => ({
        ...{ process: `p${n % 2}`, op: "publish", on: "a.b", n: n + 1, args: { data: `${n}` } },
        ...{ began: (n + 1) * 2_000 - before, ended: (n + 1) * 2_000 + after },
      }),
    );
    const got = times.map((_, n) => [(n + 1) * 2_000 + 1_000, { subject: "a.b", data: `${n}` }] as const);
    const base = { process: "subscriber", on: "a.*", args: {} };
    return [...published, { ...base, op: "subscribe", n: 1, began: 0, ended: 10, got }];
  };
  const subscribed = ({ op }: Drawn): boolean => op === "subscribe";

  it("random histories that keep every promise pass", () => {
    always((times) => expect(rulesOf(drawnTopic(times))).toEqual([]));
  });

  const rules = { lose: "loss-unreported", duplicate: "delivered-twice", alter: "invented", invent: "invented" };
  it.each(plantsOn(rules, (is) => ({ ...is, data: '"x"' })))("a planted fault is found: %s", (_, rule, plant) => {
    fc.assert(
      fc.property(sizes, (times) => {
        const faulty = changing(drawnTopic(times), subscribed, (each) => ({ ...each, got: plant(each.got!) }));
        expect(rulesOf(faulty)).toContain(rule);
      }),
    );
  });

  const four = drawnTopic([0, 1, 2, 3].map(() => [0, 0]));

  it("a planted fault is found: reorder, of one publisher", () => {
    const swapped = changing(four, subscribed, (each) => {
      const [first, second, third, fourth] = each.got! as [Got[0], Got[0], Got[0], Got[0]];
      return { ...each, got: [[first[0] + 5_000, third[1]], second, [third[0] + 5_000, first[1]], fourth] };
    });
    expect(rulesOf(swapped)).toContain("out-of-order");
  });

  it("what was dropped and said so is no loss, nor what was under way while a connection was away", () => {
    const lost = changing(four, subscribed, (each) => ({ ...each, got: each.got!.toSpliced(1, 1) }));
    const end: Drawn = {
      ...{ process: "subscriber", op: "subscription.end", on: "", args: { of: 1 }, began: 90_000, ended: 90_001 },
      value: { dropped: 1 },
    };
    expect(rulesOf(lost)).toEqual(["loss-unreported"]);
    expect(rulesOf([...lost, end])).toEqual([]);
    const away = sketch(lost).toSpliced(-1, 0, { kind: "disconnected", process: "subscriber", us: 4_000, at: 0 });
    expect(check(away).violations).toEqual([]);
    expect(check(away).counts.messagesLostInOutages).toBe(1);
  });

  it("of a group one gets a message", () => {
    const member = (process: string): Drawn => ({
      ...four.at(-1)!,
      ...{ process, args: { group: "g" }, got: four.at(-1)!.got!.slice(0, 1) },
    });
    expect(rulesOf([...four, member("one")])).toEqual([]);
    expect(rulesOf([...four, member("one"), member("two")])).toEqual(["delivered-twice"]);
  });

  it("what does not match is not delivered", () => {
    expect(rulesOf(changing(four, subscribed, (each) => ({ ...each, on: "x.*" })))).toContain("no-match");
  });
});

describe("of calls", () => {
  const drawnCalls = (times: readonly (readonly [number, number])[]): Drawn[] =>
    times.flatMap(([before, after], n): Drawn[] => {
      const args = { method: "add", data: `[${n}]` };
      const at = (n + 1) * 2_000;
      const value = { data: `${n + 1}` };
      return [
        { process: "caller", op: "call", on: "calc", args, began: at - before, ended: at + 500 + after, value },
        { process: "server", op: "execute", on: "calc", args, began: at + 10, ended: at + 20, value },
      ];
    });
  const isCall = ({ op, args }: Drawn): boolean => op === "call" && args.data === "[1]";
  const isExecution = ({ op, args }: Drawn): boolean => op === "execute" && args.data === "[1]";

  it("random histories that keep every promise pass", () => {
    always((times) => expect(rulesOf(drawnCalls(times))).toEqual([]));
  });

  const plants: readonly (readonly [string, string, (drawn: Drawn[]) => Drawn[]])[] = [
    ["lose: a reply without an execution", "wrong-reply", (drawn) => drawn.filter((each) => !isExecution(each))],
    ["duplicate: executed twice", "executed-too-often", (drawn) => [...drawn, drawn.find(isExecution)!]],
    [
      "alter: another reply",
      "wrong-reply",
      (drawn) => changing(drawn, isCall, (each) => ({ ...each, value: { data: "0" } })),
    ],
    [
      "reorder: the reply of another",
      "wrong-reply",
      (drawn) => changing(drawn, isCall, (each) => ({ ...each, value: { data: "3" } })),
    ],
    ["invent: executed and never called", "invented", (drawn) => drawn.filter((each) => !isCall(each))],
    [
      "resurrect: executed though it failed for certain",
      "failed-yet-executed",
      (drawn) => changing(drawn, isCall, (each) => ({ ...each, outcome: "failed", code: "no-responder", value: {} })),
    ],
    [
      "another error than was thrown",
      "wrong-reply",
      (drawn) =>
        changing(drawn, isCall, (each) => ({
          ...each,
          outcome: "failed",
          code: "remote",
          value: { error: "Error: x" },
        })),
    ],
  ];
  it.each(plants)("a planted fault is found: %s", (_, rule, plant) => {
    always((times) => expect(rulesOf(plant(drawnCalls(times)))).toContain(rule));
  });

  it("a call whose time ran out may have been executed, once", () => {
    const late = changing(
      drawnCalls([
        [0, 0],
        [0, 0],
      ]),
      isCall,
      (each) => ({ ...each, outcome: "indefinite", value: {} }),
    );
    expect(rulesOf(late)).toEqual([]);
    expect(rulesOf([...late, late.find(isExecution)!])).toEqual(["executed-too-often"]);
  });

  it("a stream's items are those of its execution, from the first", () => {
    const items = (...data: string[]): Got => data.map((each, at) => [2_012 + at, { data: each }] as const);
    const args = { method: "count", data: "[]" };
    const stream = (op: string, process: string, got: Got): Drawn => ({
      ...{
        process,
        op,
        on: "calc",
        args,
        began: op === "call" ? 2_000 : 2_010,
        ended: op === "call" ? 2_050 : 2_040,
        got,
      },
    });
    const execution = stream("execute", "server", items("1", "2", "3"));
    expect(rulesOf([stream("call", "caller", items("1", "2")), execution])).toEqual([]);
    expect(rulesOf([stream("call", "caller", items("2", "3")), execution])).toEqual(["wrong-items"]);
  });
});

describe("a history", () => {
  it("that was cut off, or is of several machines, does not pass", () => {
    const [first, ...rest] = sketch([{ process: "p", op: "flush", on: "", args: {}, began: 1, ended: 2 }]);
    expect(check([first!, ...rest, { kind: "cut", process: "p", us: 9, at: 0 }]).violations).toMatchObject([
      { rule: "cut" },
    ]);
    const elsewhere = { ...first!, process: "q", clock: "another" } as typeof first & object;
    expect(check([first!, ...rest, elsewhere]).violations).toMatchObject([{ rule: "clocks" }]);
  });

  it("that is none is refused", () => {
    expect(() => check([{ kind: "end", process: "p", us: 1, at: 1 }])).toThrow(
      expect.objectContaining({ code: "codec" }),
    );
    const [first] = sketch([{ process: "p", op: "flush", on: "", args: {}, began: 1, ended: 2 }]);
    expect(() => check([first!, first!])).toThrow("a name of its own");
    expect(() => check([first!, { kind: "return", process: "p", us: 1, at: 1, n: 4, outcome: "done" }])).toThrow(
      "never began",
    );
  });
});
