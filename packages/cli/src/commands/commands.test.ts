import { randomUUID } from "node:crypto";
import { type Bus, connect } from "@quadrant/bus";
import { defaultHubUrl, type Hub, startHub } from "@quadrant/zeromq";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CapturedIo, type Outcome, run } from "../captured-io.ts";
import { main } from "../program.ts";
import { defaultUrl } from "../session.ts";

test("the bus unless told otherwise is where a hub listens unless told otherwise", () => {
  expect(defaultUrl).toBe(defaultHubUrl);
});

const drivers: readonly (readonly [driver: string, open: () => Promise<{ url: string; hub?: Hub }>])[] = [
  ["memory", async () => ({ url: `memory:${randomUUID()}` })],
  [
    "zeromq",
    async () => {
      const hub = await startHub();
      return { url: hub.url, hub };
    },
  ],
];

describe.each(drivers)("on %s", (driver, open) => {
  let url: string;
  let hub: Hub | undefined;
  // Keeps the bus of this process alive between commands, and is the other side.
  let bus: Bus;

  beforeAll(async () => {
    ({ url, hub } = await open());
    bus = await connect(url);
  });
  afterAll(async () => {
    await bus?.close();
    await hub?.[Symbol.asyncDispose]();
  });

  const quadrant = (argv: readonly string[], input?: string): Promise<Outcome> => run([...argv, "--url", url], input);

  /** Its stdout, having asserted that it succeeded. */
  const output = async (argv: readonly string[], input?: string): Promise<string[]> => {
    const { code, lines, err } = await quadrant(argv, input);
    expect(code, `${argv.join(" ")}: ${err}`).toBe(0);
    return lines;
  };

  /** Its stdout, each line parsed as the JSON object it has to be. */
  const records = async (argv: readonly string[], input?: string): Promise<Record<string, unknown>[]> => {
    const lines = await output([...argv, "--json"], input);
    return lines.map((line) => {
      const record: unknown = JSON.parse(line);
      expect(typeof record === "object" && record !== null && !Array.isArray(record), line).toBe(true);
      return record as Record<string, unknown>;
    });
  };

  /** Starts a command that waits, and resolves once it says so on stderr. */
  const started = async (
    argv: readonly string[],
    ready: RegExp,
  ): Promise<{ io: CapturedIo; done: Promise<number> }> => {
    const io = new CapturedIo();
    const done = main([...argv, "--url", url], io);
    await Promise.race([io.stderr.until((text) => ready.test(text)), done]);
    return { io, done };
  };

  describe("pub and sub", () => {
    test("a line each, after its subject; other forms on demand", async () => {
      const forms: [string[], string[]][] = [
        [[], ['forms.a\t{"n":1}', 'forms.a\t"x y"']],
        [["--data"], ['{"n":1}', '"x y"']],
        [["--text"], ['{"n":1}', "x y"]],
        [
          ["--json"],
          [1, 2].map((n) =>
            JSON.stringify({ subject: "forms.a", data: n === 1 ? { n } : "x y", headers: { k: "v=w" } }),
          ),
        ],
      ];
      for (const [options, expected] of forms) {
        const { io, done } = await started(["sub", "forms.*", "--count", "2", ...options], /subscribed/);
        expect(await output(["pub", "forms.a", "-H", "k=v=w"], '{"n":1}\n\n"x y"\n')).toEqual([]);
        expect(await done).toBe(0);
        expect(io.stdout.lines).toEqual(expected);
      }
    });

    test("text lines, and a body on the command line", async () => {
      const { io, done } = await started(["sub", "text", "--count", "4", "--data"], /subscribed/);
      await output(["pub", "text", "--text"], "plain\r\n\nlast");
      await output(["pub", "text", "[1]"]);
      expect(await done).toBe(0);
      expect(io.stdout.lines).toEqual(['"plain"', '""', '"last"', "[1]"]);
    });

    test("a bad line fails, with its number, after what came before it", async () => {
      const { io, done } = await started(["sub", "bad", "--count", "1", "--data"], /subscribed/);
      const { code, err } = await quadrant(["pub", "bad"], "1\n{oops\n3\n");
      expect(code).toBe(1);
      expect(err).toContain("1 published to bad");
      expect(err).toContain("quadrant: stdin, line 2: {oops is no JSON");
      expect(await done).toBe(0);
      expect(io.stdout.lines).toEqual(["1"]);
    });

    test("members of a group share", async () => {
      const one = await started(["sub", "shared", "-g", "team", "--count", "2", "--data"], /subscribed/);
      const two = await started(["sub", "shared", "-g", "team", "--count", "2", "--data"], /subscribed/);
      await output(["pub", "shared"], "1\n2\n3\n4\n");
      expect(await Promise.all([one.done, two.done])).toEqual([0, 0]);
      expect([...one.io.stdout.lines, ...two.io.stdout.lines].sort()).toEqual(["1", "2", "3", "4"]);
    });

    test("what the codec cannot read is told, and left out", async () => {
      const { io, done } = await started(["sub", "mixed", "--count", "1", "--data"], /subscribed/);
      const broken = await connect(url, {
        codec: { contentType: "application/json", encode: () => new Uint8Array([123]), decode: () => 0 },
      });
      await broken.publish("mixed", 0);
      await broken.close();
      await bus.publish("mixed", 7);
      expect(await done).toBe(0);
      expect(io.stdout.lines).toEqual(["7"]);
      expect(io.stderr.text).toContain("a message on mixed was left out");
    });

    test("an idle subscription ends at its timeout; a count that was not reached is a failure", async () => {
      expect(await output(["sub", "idle", "--timeout", "1ms"])).toEqual([]);
      const { code, err } = await quadrant(["sub", "idle", "--timeout", "1ms", "--count", "1"]);
      expect(code).toBe(1);
      expect(err).toContain("quadrant: 0 of 1 came; nothing came for 1 ms");
    });

    test("Ctrl-C ends it with 130, and the bus hears of it", async () => {
      const { io, done } = await started(["sub", "endless"], /subscribed/);
      io.interrupt();
      expect(await done).toBe(130);
      expect(io.stderr.text).toContain("press Ctrl-C again");
      expect(io.listening).toBe(false);
    });

    test("a closed pipe ends it quietly with 0", async () => {
      const { io, done } = await started(["sub", "piped"], /subscribed/);
      const before = io.stderr.text;
      io.stdout.broken = true;
      await bus.publish("piped", 1);
      expect(await done).toBe(0);
      expect(io.stderr.text).toBe(before);
    });

    test("names that are none are wrong use", async () => {
      for (const argv of [
        ["pub", "a..b", "1"],
        ["pub", "a.*", "1"],
        ["sub", "a.>.b"],
        ["pub", "a", "1", "-H", "nats-x=1"],
      ]) {
        const { code, err, out } = await quadrant(argv);
        expect({ code, out }, argv.join(" ")).toEqual({ code: 2, out: "" });
        expect(err).toMatch(/quadrant: .*\(invalid\)\n$/);
      }
    });
  });

  describe("mailboxes", () => {
    test("send prints ids, receive prints letters and acknowledges them", async () => {
      expect(await output(["send", "box", '{"a":1}', "--id", "one"])).toEqual(["one"]);
      expect(await records(["send", "box", '{"a":1}', "--id", "one"])).toEqual([{ id: "one", duplicate: true }]);
      expect(await output(["send", "box", "-H", "k=v"], "2\n3\n")).toHaveLength(2);
      expect(await records(["mailbox", "info", "box"])).toEqual([
        { address: "box", waiting: 3, held: 0, delayed: 0, dead: 0 },
      ]);
      expect(await output(["mailbox", "peek", "box", "--limit", "1"])).toEqual(['one\t{"a":1}']);
      expect(await output(["receive", "box", "--count", "1"])).toEqual(['{"a":1}']);
      const [second] = await records(["receive", "box", "--count", "1"]);
      expect(second).toMatchObject({ attempt: 1, data: 2, headers: { k: "v" } });
      expect(await output(["receive", "box", "--count", "1"])).toEqual(["3"]);
      expect(await output(["mailbox", "info", "box"])).toEqual(["waiting 0  held 0  delayed 0  dead 0"]);
    });

    test("what is not acknowledged, or given back, comes again; what is rejected is dead, and can be redriven", async () => {
      await output(["send", "again", '"x"', "--id", "x"]);
      expect(await output(["receive", "again", "--no-ack", "--text"])).toEqual(["x"]);
      expect(await output(["receive", "again", "--nak", "--text"])).toEqual(["x"]);
      expect((await records(["receive", "again", "--reject"]))[0]).toMatchObject({ id: "x", data: "x" });
      const [dead] = await records(["mailbox", "dead", "again"]);
      expect(dead).toMatchObject({ id: "x", data: "x", error: { message: "rejected by hand" } });
      expect((await output(["mailbox", "dead", "again"]))[0]).toContain("rejected by hand");
      expect(await output(["mailbox", "redrive", "again", "--id", "nobody"])).toEqual(["0"]);
      expect(await records(["mailbox", "redrive", "again", "--id", "x"])).toEqual([{ redriven: 1 }]);
      expect(await records(["mailbox", "purge", "again"])).toEqual([{ purged: 1 }]);
    });

    test("delay and time to live", async () => {
      await output(["send", "later", "1", "--delay", "1h"]);
      await output(["send", "later", "2", "--ttl", "1h", "--key", "k"]);
      expect(await records(["mailbox", "info", "later"])).toMatchObject([{ waiting: 1, delayed: 1 }]);
    });

    test("looking at one that is not there does not make it", async () => {
      for (const verb of ["info", "peek", "dead", "redrive", "purge"]) {
        const { code, err } = await quadrant(["mailbox", verb, "nowhere"]);
        expect(code).toBe(1);
        expect(err).toContain("no mailbox is called nowhere");
      }
      expect(await bus.list("mailbox")).not.toContain("nowhere");
    });

    test("Ctrl-C while receiving: what was printed is acknowledged, the rest goes back", async () => {
      await output(["send", "stop"], "1\n2\n3\n");
      const io = new CapturedIo();
      const done = main(["receive", "stop", "--url", url], io);
      await io.stdout.until((text) => text.includes("1\n"));
      io.interrupt();
      expect(await done).toBe(130);
      const printed = io.stdout.lines;
      const rest = await output(["receive", "stop", "--count", String(3 - printed.length)]);
      expect([...printed, ...rest]).toEqual(["1", "2", "3"]);
    });
  });

  describe("logs", () => {
    test("append prints sequences, read prints entries", async () => {
      expect(await output(["log", "append", "events", "order.new"], "1\n2\n")).toEqual(["1", "2"]);
      expect(await output(["log", "append", "events", "order.paid", '"x"', "--id", "i"])).toEqual(["3"]);
      expect(await records(["log", "append", "events", "order.paid", '"x"', "--id", "i"])).toEqual([
        { seq: 3, duplicate: true },
      ]);
      expect(await output(["log", "read", "events"])).toEqual([
        "1\torder.new\t1",
        "2\torder.new\t2",
        '3\torder.paid\t"x"',
      ]);
      expect(await output(["log", "read", "events", "--from", "2", "--count", "1", "--data"])).toEqual(["2"]);
      expect(await output(["log", "read", "events", "--filter", "order.paid", "--text"])).toEqual(["x"]);
      const [entry] = await records(["log", "read", "events", "--from", "3"]);
      expect(entry).toMatchObject({ seq: 3, subject: "order.paid", id: "i", data: "x", headers: {} });
      expect(await output(["log", "read", "events", "--from", String(entry!.time), "--data"])).toContain('"x"');
      expect(await output(["log", "read", "events", "--from", "2099-01-01"])).toEqual([]);
      expect(await records(["log", "info", "events"])).toMatchObject([{ log: "events", first: 1, last: 3, count: 3 }]);
    });

    test("an expectation that does not hold fails", async () => {
      expect(await output(["log", "append", "expect", "a", "1", "--expect-last", "0"])).toEqual(["1"]);
      const { code, err } = await quadrant(["log", "append", "expect", "a", "2", "--expect-last", "0"]);
      expect(code).toBe(1);
      expect(err).toMatch(/\(conflict\)/);
    });

    test("--follow goes on with what is appended", async () => {
      await output(["log", "append", "live", "a", "1"]);
      const io = new CapturedIo();
      const done = main(["log", "read", "live", "--follow", "--count", "3", "--data", "--url", url], io);
      await io.stdout.until((text) => text === "1\n");
      await output(["log", "append", "live", "a"], "2\n3\n");
      expect(await done).toBe(0);
      expect(io.stdout.lines).toEqual(["1", "2", "3"]);
    });

    test("a durable goes on where it was, has its dead letters, and their redrive", async () => {
      await output(["log", "append", "work", "a"], "1\n2\n3\n");
      const consume = ["log", "consume", "work", "team", "--from", "first"];
      expect(await output([...consume, "--count", "1"])).toEqual(["1\ta\t1"]);
      expect(await output([...consume, "--reject", "--data"])).toEqual(["2"]);
      const [third] = await records([...consume, "--count", "1"]);
      expect(third).toMatchObject({ seq: 3, subject: "a", attempt: 1, data: 3 });
      expect(await records(["log", "dead", "work", "team"])).toMatchObject([
        { data: 2, error: { message: "rejected by hand" } },
      ]);
      expect(await output(["log", "redrive", "work", "team", "--limit", "5"])).toEqual(["1"]);
      expect(await output([...consume, "--count", "1", "--data"])).toEqual(["2"]);
    });

    test("looking at one that is not there does not make it", async () => {
      for (const argv of [
        ["read", "none"],
        ["info", "none"],
        ["dead", "none", "d"],
        ["redrive", "none", "d"],
      ]) {
        const { code, err } = await quadrant(["log", ...argv]);
        expect(code).toBe(1);
        expect(err).toContain("no log is called none");
      }
      expect(await bus.list("log")).not.toContain("none");
    });
  });

  describe("tuples", () => {
    test("out, rd, in, and back again", async () => {
      expect(await output(["out", "jobs", '["task", 1]'])).toEqual([]);
      await output(
        ["out", "jobs"],
        '["task",2]\n{"kind":"note","n":{"$bigint":"12"}}\n["raw",{"$bytes":"aGk="},"?"]\n',
      );
      expect(await output(["rd", "jobs", '["task", "?2.."]'])).toEqual(['["task",2]']);
      expect(await records(["rd", "jobs", '{"?partial": {"kind": "?string"}}'])).toEqual([
        { tuple: { kind: "note", n: { $bigint: "12" } } },
      ]);
      expect(await output(["rd", "jobs", '["task","?"]', "--all"])).toEqual(['["task",1]', '["task",2]']);
      const raw = await output(["in", "jobs", '["raw", "?bytes", "??"]', "--no-wait"]);
      expect(raw).toEqual(['["raw",{"$bytes":"aGk="},"?"]']);
      await output(["out", "jobs"], `${raw[0]}\n`);
      expect(await output(["in", "jobs", '["raw", "?", "?"]'])).toEqual(raw);
      expect(await output(["in", "jobs", '["task","?"]', "--count", "2"])).toEqual(['["task",1]', '["task",2]']);
      expect(await output(["in", "jobs", '["task","?"]', "--all"])).toEqual([]);
      expect(await output(["in", "jobs", '{"kind":"note","n":"?bigint"}', "--all"])).toHaveLength(1);
    });

    test("what happens to tuples is printed, from the first event on or after one", async () => {
      await output(["out", "watched", '["a",1]']);
      await output(["out", "watched", '["b",1]']);
      await output(["in", "watched", '["a","?"]']);
      const events = await records(["watch", "watched", '["?","?number"]', "--from", "0", "--count", "3"]);
      expect(events.map(({ kind, tuple }) => [kind, tuple])).toEqual([
        ["out", ["a", 1]],
        ["out", ["b", 1]],
        ["in", ["a", 1]],
      ]);
      const seq = Number(events[0]!.seq);
      const after = ["watch", "watched", '["a","?"]', "--from", String(seq), "--count", "1"];
      expect(await output(after)).toEqual([`${seq + 2}\tin\t["a",1]`]);
      const beyond = await quadrant(["watch", "watched", '["a","?"]', "--from", String(seq + 9)]);
      expect(beyond.code).not.toBe(0);
      expect(beyond.err).toContain("gap");
    });

    test("in waits for its tuple", async () => {
      const io = new CapturedIo();
      const done = main(["in", "waiting", '["x","?number"]', "--url", url], io);
      await output(["out", "waiting", '["x",7]']);
      expect(await done).toBe(0);
      expect(io.stdout.lines).toEqual(['["x",7]']);
    });

    test("without a match: a failure at once, or at the timeout", async () => {
      const now = await quadrant(["rd", "empty", '["x"]', "--no-wait"]);
      expect([now.code, now.out, now.err]).toEqual([1, "", "quadrant: no tuple matches now\n"]);
      const late = await quadrant(["in", "empty", '["x"]', "--timeout", "1ms"]);
      expect([late.code, late.out]).toEqual([1, ""]);
      expect(late.err).toMatch(/\(timeout\)/);
    });

    test("Ctrl-C takes nothing", async () => {
      const io = new CapturedIo();
      const done = main(["in", "calm", '["x"]', "--url", url], io);
      while (!(await bus.list("space")).includes("calm")) await new Promise((resolve) => setImmediate(resolve));
      io.interrupt();
      expect(await done).toBe(130);
      await output(["out", "calm", '["x"]']);
      expect(await output(["in", "calm", '["x"]', "--no-wait"])).toEqual(['["x"]']);
    });

    test("a lease ends a tuple's life; a bad line is told with its number", async () => {
      await output(["out", "leased", '["x"]', "--lease", "0"]);
      expect((await quadrant(["rd", "leased", '["x"]', "--no-wait"])).code).toBe(1);
      const { code, err } = await quadrant(["out", "leased"], '["x"]\n[{"$bytes":"*"}]\n');
      expect(code).toBe(1);
      expect(err).toContain("stdin, line 2");
      expect((await quadrant(["out", "leased"], '"text"\n')).code).toBe(1);
      expect(await output(["in", "leased", '["x"]', "--all"])).toEqual(['["x"]']);
    });
  });

  describe("calls", () => {
    let calls = 0;
    class Calculator {
      add(a: number, b: number): number {
        calls++;
        return a + b;
      }
      greet(name: string): string {
        return `hello ${name}`;
      }
      async *count(to: number): AsyncGenerator<number> {
        calls++;
        for (let n = 1; n <= to; n++) yield n;
      }
      fail(): never {
        throw Object.assign(new RangeError("too far"), { code: "E_FAR" });
      }
    }

    beforeAll(async () => {
      await bus.serve("calc", new Calculator(), { version: "1.2.3" });
    });

    test("a value, once; the items of a stream, as they come", async () => {
      calls = 0;
      expect(await output(["call", "calc", "add", "1", "-2"])).toEqual(["-1"]);
      expect(await records(["call", "calc", "add", "1", "2"])).toEqual([{ value: 3 }]);
      expect(await output(["call", "calc", "count", "40"])).toEqual(
        Array.from({ length: 40 }, (_, i) => String(i + 1)),
      );
      expect(await records(["call", "calc", "count", "2"])).toEqual([{ item: 1 }, { item: 2 }]);
      expect(await output(["call", "calc", "count", "0"])).toEqual([]);
      expect(calls).toBe(5);
      expect(await output(["call", "calc", "greet", "--text", "you"])).toEqual(["hello you"]);
      expect(await output(["call", "calc", "greet", '"you"'])).toEqual(['"hello you"']);
    });

    test.each<[string[], number, RegExp]>([
      [["nobody", "add", "1"], 1, /\(no-responder\)/],
      [["calc", "fail"], 1, /too far.*\(remote\)/],
      [["calc", "subtract"], 2, /\(invalid\)/],
      [["calc", "then"], 2, /no service has a method called then/],
      [["calc", "toString"], 2, /no service has a method called toString/],
    ])("%j fails on one line", async (argv, code, message) => {
      const outcome = await quadrant(["call", ...argv]);
      expect(outcome.err).toMatch(message);
      expect(outcome.err).toMatch(/^quadrant: [^\n]+\n$/);
      expect([outcome.code, outcome.out]).toEqual([code, ""]);
    });

    test("services lists who serves what", async () => {
      const [calc] = (await records(["services"])).filter(({ address }) => address === "calc");
      expect(calc).toMatchObject({ version: "1.2.3", methods: expect.arrayContaining(["add", "count"]) });
      const [heading, ...rows] = await output(["services"]);
      expect(heading).toMatch(/^address +instance +version +handled/);
      expect(rows.some((row) => row.startsWith("calc ") && row.includes("greet"))).toBe(true);
    });
  });

  describe("info and doctor", () => {
    const there = (): Promise<readonly (readonly unknown[])[]> =>
      Promise.all([bus.list("mailbox"), bus.list("log"), bus.list("space"), bus.list("blobs"), bus.services()]);

    test("info names what is there", async () => {
      await bus.mailbox("known");
      await bus.log("known-log");
      await bus.space("known-space");
      await bus.blobs("known-blobs");
      const [info] = await records(["info"]);
      expect(info).toMatchObject({ driver, url: bus.url });
      expect(info!.mailboxes).toContain("known");
      expect(info!.logs).toContain("known-log");
      expect(info!.spaces).toContain("known-space");
      expect(info!.blobs).toContain("known-blobs");
      expect((await output(["info"])).join("\n")).toMatch(new RegExp(`driver +${driver}`));
    });

    test("doctor: versions, support, latency, findings; it leaves nothing behind", async () => {
      const before = await there();
      const rows = await records(["doctor", "--rounds", "5"]);
      const of = (kind: string): Record<string, unknown>[] => rows.filter((row) => row.kind === kind);
      expect(of("version")).toContainEqual({ kind: "version", version: "node", is: process.version });
      expect(of("support").map(({ support }) => support)).toEqual(Object.keys(bus.support));
      expect(of("latency").map(({ latency }) => latency)).toEqual([
        "publish → receive",
        "call → answer",
        "send → receive → ack",
        "out → in",
        "put → get",
      ]);
      for (const { "p50 ms": p50, rounds } of of("latency")) {
        expect(Number(p50)).toBeGreaterThan(0);
        expect(rounds).toBe("5");
      }
      expect(of("check")).toContainEqual(expect.objectContaining({ check: "connect", level: "ok" }));
      expect(of("check")).toContainEqual(expect.objectContaining({ check: "durability", level: "warning" }));
      const after = await there();
      expect(after.map((list) => list.length)).toEqual(before.map((list) => list.length));
      const text = (await output(["doctor", "--rounds", "1"])).join("\n");
      for (const part of ["quadrant ", "durability", "publish → receive", "fix"]) expect(text).toContain(part);
    });
  });
});

test("doctor of what cannot be reached: the report, and exit 1", async () => {
  const { code, lines, err } = await run(["doctor", "zmq://127.0.0.1:1", "--json", "--connect-timeout", "20ms"]);
  expect(code).toBe(1);
  const checks = lines.map((line) => JSON.parse(line) as Record<string, string>);
  expect(checks).toContainEqual(expect.objectContaining({ kind: "check", check: "connect", level: "broken" }));
  expect(checks.find(({ check }) => check === "connect")!.detail).toContain("quadrant hub");
  expect(err).toContain("quadrant: 1 broken");
});
