import { describe, expect, it, vi } from "vitest";
import { type Bus, type BusError, type ConnectOptions, connect, msgpack } from "./index.ts";

let names = 0;
function shared(): string {
  return `memory:bus-${process.pid}-${names++}`;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: BusError) => error.code,
  );
}

describe("connect", () => {
  it.each(["kafka://127.0.0.1:9092", "amqp://a:1,b:2", "mqtt://h:1"])(
    "to %s is unsupported in this release, and says what there is",
    async (url) => {
      await expect(connect(url)).rejects.toMatchObject({
        code: "unsupported",
        message: expect.stringContaining("memory: file: zmq: zmq+ipc:"),
      });
    },
  );

  it.each([[""], ["memory"], ["zmq://host:port"], ["zmq://[::1"], [undefined], [null], [5], [{}]])(
    "to %j is invalid",
    async (url) => {
      expect(await codeOf(connect(url as string))).toBe("invalid");
    },
  );

  it.each<[ConnectOptions]>([[{ timeoutMs: -1 }], [{ codec: {} as never }], [null as never]])(
    "with %j is invalid",
    async (options) => {
      expect(await codeOf(connect("memory:", options))).toBe("invalid");
    },
  );

  it("with a signal that is aborted is aborted; one aborted later means nothing to the bus", async () => {
    expect(await codeOf(connect("memory:", { signal: AbortSignal.abort() }))).toBe("aborted");
    const controller = new AbortController();
    await using bus = await connect("memory:", { signal: controller.signal });
    controller.abort();
    expect(await codeOf(bus.publish("a", 1))).toBe("resolved");
  });

  it("by text or by URL gives a bus that knows its driver", async () => {
    await using bus = await connect(new URL("memory:"));
    expect(bus.driver).toBe("memory");
    expect(bus.url).toBe("memory:");
    expect(Object.isFrozen(bus.support)).toBe(true);
    expect(bus.support.mailbox).toMatchObject({ how: expect.any(String), note: expect.any(String) });
    expect(() => {
      (bus.support.mailbox as { how: string }).how = "refused";
    }).toThrow(TypeError);
  });
});

describe("a bus", () => {
  it("has the four models", async () => {
    await using bus = await connect("memory:", { codec: msgpack });
    const subscription = await bus.subscribe<Date>("a.*");
    await bus.publish("a.b", new Date(0));
    for await (const { subject, data } of subscription) {
      expect([subject, data]).toEqual(["a.b", new Date(0)]);
      break;
    }
    const mailbox = await bus.mailbox<Map<string, bigint>>("box");
    await mailbox.send(new Map([["a", 1n]]));
    for await (const letter of await mailbox.receive()) {
      expect(letter.data).toEqual(new Map([["a", 1n]]));
      await letter.ack();
      break;
    }
    const log = await bus.log<number>("log");
    await log.append("n", 1);
    for await (const entry of log.read({ to: "end" })) expect(entry.data).toBe(1);
    const space = await bus.space("space");
    await space.out(["t", 1]);
    expect(await space.in(["t", Number])).toEqual(["t", 1]);
    await (await bus.blobs("store")).put("blob", new Uint8Array(3));
    const server = await bus.serve("calc", { add: (a: number, b: number) => a + b });
    expect(await bus.client<{ add(a: number, b: number): number }>("calc").add(1, 2)).toBe(3);
    expect((await bus.services()).map(({ instance }) => instance)).toEqual([server.instance]);
    expect(await Promise.all((["mailbox", "log", "space", "blobs"] as const).map((kind) => bus.list(kind)))).toEqual([
      ["box"],
      ["log"],
      ["space"],
      ["store"],
    ]);
    await bus.flush();
  });

  it("refuses what is not in this release", async () => {
    await using bus = await connect("memory:");
    expect(await codeOf(bus.transaction())).toBe("unsupported");
    expect(await codeOf(bus.transaction({ leaseMs: -1 }))).toBe("invalid");
    expect(await codeOf(bus.blobs("a.b"))).toBe("invalid");
    expect(await codeOf(bus.list("tuples" as never))).toBe("invalid");
  });

  it("rejects bad arguments, throwing them only where no promise is returned", async () => {
    await using bus = await connect("memory:");
    const bad: (() => Promise<unknown>)[] = [
      () => bus.publish("a..b", 1),
      () => bus.publish("a.*", 1),
      () => bus.publish("a", 1, null as never),
      () => bus.publish("a", 1, { headers: { "a:b": "" } }),
      () => bus.subscribe("a.>.b"),
      () => bus.subscribe("a", null as never),
      () => bus.log("a.b"),
      () => bus.mailbox(""),
      () => bus.mailbox("a", "x" as never),
      () => bus.space("a.b"),
      () => bus.serve("a", {}),
      () => bus.serve("a b", { a: () => 1 }),
      () => bus.close({ drainMs: -1 }),
      () => bus.close(5 as never),
    ];
    for (const [i, call] of bad.entries()) expect(await codeOf(call()), `call ${i}`).toBe("invalid");
    expect(() => bus.client("a b")).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(await codeOf(bus.publish("a", () => 1))).toBe("codec");
    expect(await codeOf(bus.flush())).toBe("resolved");
  });
});

describe("the end of a bus", () => {
  function everything(bus: Bus): Promise<unknown>[] {
    return [
      bus.publish("a", 1),
      bus.subscribe("a"),
      bus.log("a"),
      bus.mailbox("a"),
      bus.space("a"),
      bus.transaction(),
      bus.serve("a", { a: () => 1 }),
      Promise.resolve(bus.client<{ a(): number }>("a").a()),
      bus.services(),
      bus.blobs("a"),
      bus.list("log"),
      bus.flush(),
    ];
  }

  it("is one for all who ask, and everything is closed afterwards", async () => {
    const bus = await connect("memory:");
    const first = bus.close();
    expect(bus.close({ drainMs: 0 })).toBe(first);
    await first;
    await bus[Symbol.asyncDispose]();
    await bus.close();
    expect(new Set(await Promise.all(everything(bus).map(codeOf)))).toEqual(new Set(["closed"]));
    const kinds: string[] = [];
    for await (const { kind } of bus.status()) kinds.push(kind);
    expect(kinds).toEqual(["closed"]);
  });

  it("ends what is iterated, and says so last", async () => {
    const bus = await connect("memory:");
    const kinds: string[] = [];
    const reading = (async (): Promise<void> => {
      for await (const { kind } of bus.status()) kinds.push(kind);
    })();
    const ended = (async (): Promise<string> => {
      for await (const _ of await bus.subscribe("a")) return "a message";
      return "ended";
    })();
    await bus.close();
    await reading;
    expect(kinds).toEqual(["connected", "closed"]);
    expect(["ended", "closed"]).toContain(await ended.catch((error: BusError) => error.code));
  });

  it("waits for handlers that run, which may still send", async () => {
    const url = shared();
    const bus = await connect(url);
    await using other = await connect(url);
    const results = await other.mailbox<string>("results");
    const { promise: go, resolve: proceed } = Promise.withResolvers<void>();
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const jobs = await bus.mailbox<string>("jobs");
    await (await bus.mailbox<string>("jobs")).process(async (letter) => {
      begin();
      await go;
      await (await other.mailbox<string>("results")).send(letter.data);
      await bus.publish("done", letter.data);
    });
    await jobs.send("a");
    await begun;
    const closing = bus.close();
    expect(await codeOf(bus.mailbox("late"))).toBe("closed");
    proceed();
    await closing;
    expect((await results.peek()).map(({ data }) => data)).toEqual(["a"]);
    expect(await (await other.mailbox("jobs")).info()).toMatchObject({ waiting: 0, held: 0 });
  });

  it("does not wait longer than it was told to", async () => {
    const url = shared();
    const bus = await connect(url);
    await using other = await connect(url);
    await bus.serve("stuck", { hang: () => new Promise(() => undefined) });
    const call = codeOf(Promise.resolve(other.client<{ hang(): void }>("stuck").hang()));
    await vi.waitFor(async () => expect(await other.services()).toHaveLength(1));
    await bus.close({ drainMs: 20 });
    expect(await call).toBe("indefinite");
    expect(await other.services()).toEqual([]);
  });
});
