import {
  type Driver,
  type DriverOptions,
  encodeTemplate,
  encodeTuple,
  features,
  TemplateParts,
} from "@quadrant/contract";
import { describe, expect, test } from "vitest";
import { open } from "./index.ts";

const options: DriverOptions = {
  name: "test",
  timeoutMs: 1000,
  requestTimeoutMs: 1000,
  maxPayloadBytes: 1000,
  outboxBytes: 1000,
};
const connect = (url: string): Promise<Driver> => open(new URL(url), options);

const envelope = (subject: string) => ({ subject, headers: {}, contentType: "", body: new Uint8Array() });
const job = encodeTuple(["job", 1]);
const jobs = encodeTemplate(["job", Number]);

describe("memory:", () => {
  test("without a name is private to each connection", async () => {
    const [one, two] = [await connect("memory:"), await connect("memory:")];
    await one.tuples!.out("s", job, undefined, {});
    expect(await two.list("space")).toEqual([]);
    expect(await one.list("space")).toEqual(["s"]);
    await Promise.all([one.close(0), two.close(0)]);
  });

  test("with a name is shared until its last connection closes", async () => {
    const [one, two, other] = [
      await connect("memory:shared"),
      await connect("memory:shared"),
      await connect("memory:other"),
    ];
    await one.tuples!.out("s", job, undefined, {});
    await one.close(0);
    await one.close(0);
    expect(await two.tuples!.readNow("s", jobs)).toBe(job);
    expect(await other.list("space")).toEqual([]);
    await two.close(0);
    const three = await connect("memory:shared");
    expect(await three.list("space")).toEqual([]);
    await Promise.all([three.close(0), other.close(0)]);
  });

  test("gives at once what is there, throws what it refuses, and a promise of what has to come", async () => {
    const driver = await connect("memory:");
    const direct = driver.tuples!.direct!;
    const asked = TemplateParts.of(["job", Number]);
    const granted = direct.out("s", job, undefined, {});
    expect(granted).toMatchObject({ id: expect.stringMatching(/^.+-\d+$/), expiresInMs: Number.POSITIVE_INFINITY });
    expect(direct.readNow("s", asked)).toBe(job);
    expect(direct.read("s", asked, {})).toBe(job);
    expect(direct.take("s", asked, {})).toBe(job);
    expect(direct.takeNow("s", asked)).toBeUndefined();
    expect(() => direct.take("s", asked, { timeoutMs: 0 })).toThrow(expect.objectContaining({ code: "timeout" }));
    expect(() => direct.out("s", "nonsense", undefined, {})).toThrow(expect.objectContaining({ code: "codec" }));
    const coming = direct.take("s", asked, {});
    expect(coming).toBeInstanceOf(Promise);
    expect(await direct.out("s", job, undefined, {})).toMatchObject({ expiresInMs: Number.POSITIVE_INFINITY });
    expect(await coming).toBe(job);
    await driver.close(0);
    expect(() => direct.takeNow("s", asked)).toThrow(expect.objectContaining({ code: "closed" }));
  });

  test("does everything natively, or says why not", async () => {
    const driver = await connect("memory:");
    expect(Object.keys(driver.support).sort()).toEqual([...features].sort());
    for (const { how, note } of Object.values(driver.support)) {
      expect(["native", "refused"]).toContain(how);
      expect(note).not.toBe("");
    }
    expect(driver.support.durability).toEqual({ how: "refused", note: "held in memory, gone with the process" });
    expect(driver.name).toBe("memory");
    expect(driver.url).toBe("memory:");
    expect(driver.maxPayloadBytes).toBe(1000);
    await driver.close(0);
  });

  test("lets a publisher that never stops not starve a subscriber of its process", async () => {
    const driver = await connect("memory:");
    let delivered = 0;
    const sink = { deliver: () => void delivered++, lost: () => undefined, end: () => undefined };
    await driver.topics!.subscribe("a", undefined, sink);
    // A connection's operations are counted together; a subscription is none of them.
    let turns = 0;
    const other = setInterval(() => turns++, 0);
    const results: (Promise<void> | undefined)[] = [];
    for (let i = 0; i < 512; i++) results.push(driver.topics!.publish(envelope("a")));
    expect(delivered).toBe(512);
    expect(results.flatMap((result, index) => (result === undefined ? [] : [index]))).toEqual([255, 511]);
    while (turns < 3) await driver.topics!.publish(envelope("a"));
    clearInterval(other);
    await driver.close(0);
  });

  test("tells what the engine counts", async () => {
    const driver = await connect("memory:");
    await driver.queues!.open("q", {});
    void driver.topics!.publish(envelope("a"));
    expect(await driver.describe()).toMatchObject({ sessions: 1, published: 1, mailboxes: { mailboxes: 1 } });
    await driver.close(0);
  });

  test("refuses everything after its close, and ends what waits", async () => {
    const [driver, other] = [await connect("memory:ending"), await connect("memory:ending")];
    const waiting = driver.tuples!.take("s", jobs, {});
    const closing = driver.close(0);
    await expect(waiting).rejects.toMatchObject({ code: "closed", driver: "memory" });
    await closing;
    const late: (() => Promise<unknown> | undefined)[] = [
      () => driver.list("mailbox"),
      () => driver.flush(),
      () => driver.describe(),
      () => driver.topics!.publish(envelope("a")),
      () => driver.queues!.info("q"),
      () => driver.logs!.info("l"),
      () => driver.tuples!.count("s", jobs),
      () => driver.calls!.services(),
    ];
    for (const each of late) await expect(each()).rejects.toMatchObject({ code: "closed", driver: "memory" });
    // What it had waited for is still there for others.
    await other.tuples!.out("s", job, undefined, {});
    expect(await other.tuples!.count("s", jobs)).toBe(1);
    await other.close(0);
  });

  test("gives back what it holds when it closes", async () => {
    const [driver, other] = [await connect("memory:giving"), await connect("memory:giving")];
    await driver.tuples!.out("s", job, undefined, {});
    await driver.tuples!.claim("s", jobs, 60_000, {});
    const letter = { id: "1", dedupe: false, headers: {}, contentType: "", body: new Uint8Array() };
    await driver.queues!.send("q", [letter]);
    await driver.queues!.fetch("q", { max: 1 });
    await driver.close(0);
    expect(await other.tuples!.take("s", jobs, { timeoutMs: 0 })).toBe(job);
    expect(await other.queues!.fetch("q", { max: 1 })).toMatchObject([{ id: "1", attempt: 2 }]);
    await other.close(0);
  });
});

test("a loop over blobs lets timers have their turn", async () => {
  const driver = await connect("memory:");
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 0);
  let rounds = 0;
  for (; !fired; rounds++) {
    const upload = await driver.blobs!.upload("store", "blob");
    await upload.write(new Uint8Array(1));
    await upload.commit("");
    const download = await driver.blobs!.download("store", "blob");
    expect(await download!.read()).toEqual(new Uint8Array(1));
  }
  expect(rounds).toBeGreaterThan(0);
  await driver.close(0);
});
