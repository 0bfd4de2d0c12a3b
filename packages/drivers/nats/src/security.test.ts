import { type Bus, type BusStatus, connect } from "@quadrant/bus";
import { type BrokerOptions, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterEach, describe, expect, it } from "vitest";

const owned: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of owned.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function broker(options: BrokerOptions): Promise<StartedBroker> {
  const started = await startBroker("nats", options);
  owned.push(started);
  return started;
}

function own(bus: Bus): Bus {
  owned.push(bus);
  return bus;
}

async function roundTrip(bus: Bus): Promise<void> {
  const iterator = (await bus.subscribe<number>("s"))[Symbol.asyncIterator]();
  await bus.publish("s", 1);
  expect((await iterator.next()).value?.data).toBe(1);
  await iterator.return?.();
  const box = await bus.mailbox<number>("b");
  await box.send(1);
  expect((await box.info()).waiting).toBe(1);
}

describe("credentials", () => {
  for (const auth of ["password", "token", "nkey", "creds"] as const) {
    it(`${auth}: those that are right are let in, those that are not are denied at once`, async () => {
      const { url, options } = await broker({ auth });
      const bus = own(await connect(url, options));
      await roundTrip(bus);
      expect(JSON.stringify([bus.url, bus.support])).not.toContain(JSON.stringify(Object.values(options.auth!)[0]));
      await expect(connect(url, { timeoutMs: 20_000 })).rejects.toMatchObject({ code: "denied" });
      const wrong = auth === "token" ? { token: "wrong" } : { user: "wrong", password: "wrong" };
      await expect(connect(url, { auth: wrong, timeoutMs: 20_000 })).rejects.toMatchObject({ code: "denied" });
    });
  }

  it("what is no seed, and a file that is not there, is invalid", async () => {
    const { url } = await broker({ auth: "nkey" });
    await expect(connect(url, { auth: { nkeySeed: "SUnothing" } })).rejects.toMatchObject({ code: "invalid" });
    await expect(connect(url, { auth: { credsFile: "/no/such/file" } })).rejects.toMatchObject({ code: "invalid" });
  });

  it("the file of credentials may stand in the URL, which is shown without; one that another operator signed is denied", async () => {
    const [{ url, options }, other] = [await broker({ auth: "creds" }), await broker({ auth: "creds" })];
    const fileOf = (started: Pick<StartedBroker, "options">): string =>
      (started.options.auth as { readonly credsFile: string }).credsFile;
    const bus = own(await connect(`${url}?creds=${encodeURIComponent(fileOf({ options }))}`));
    await roundTrip(bus);
    expect(bus.url).not.toContain("quadrant.creds");
    const wrong = connect(`${url}?creds=${encodeURIComponent(fileOf(other))}`, { timeoutMs: 20_000 });
    await expect(wrong).rejects.toMatchObject({ code: "denied" });
    await expect(connect(`${url}?creds=/no/such/file`)).rejects.toMatchObject({ code: "invalid" });
  });

  it("a client with a file of credentials comes back when its server was killed, and owns tuple spaces", async () => {
    const started = await broker({ auth: "creds" });
    const bus = own(await connect(started.url, started.options));
    const space = await bus.space("s");
    await space.out(["t", 1]);
    const back = statusOf(bus, "reconnected");
    await started.kill();
    await started.restart();
    await back;
    await roundTrip(bus);
    expect(await space.in(["t", Number])).toEqual(["t", 1]);
  });

  it("user and password may stand in the URL, which is shown without", async () => {
    const { url, options } = await broker({ auth: "password" });
    const { user, password } = options.auth as { user: string; password: string };
    const bus = own(await connect(url.replace("//", `//${user}:${password}@`)));
    await roundTrip(bus);
    expect(bus.url).not.toContain(password);
  });
});

describe("TLS", () => {
  it("is used with the broker's authority; without it, or with another's, it is denied at once", async () => {
    const { url, options } = await broker({ tls: true });
    await roundTrip(own(await connect(url, options)));
    const other = await broker({ tls: true });
    for (const tls of [undefined, other.options.tls]) {
      const message = expect.stringContaining("tls.ca");
      await expect(connect(url, { tls, timeoutMs: 20_000 })).rejects.toMatchObject({ code: "denied", message });
    }
  });

  it("with a certificate of the client's own where the server asks for it; without there is no connection", async () => {
    const { url, options } = await broker({ tls: "mutual" });
    await roundTrip(own(await connect(url, options)));
    const { ca } = options.tls!;
    await expect(connect(url, { tls: { ca }, timeoutMs: 500 })).rejects.toMatchObject({ code: "unavailable" });
  });

  it("a server that speaks none is told at once", async () => {
    const { url } = await broker({});
    const message = expect.stringContaining("use nats://");
    const secure = connect(url.replace("nats:", "tls:"), { timeoutMs: 20_000 });
    await expect(secure).rejects.toMatchObject({ code: "unavailable", message });
  });
});

describe("permissions", () => {
  it("a publish that is not permitted is told by the status, and the next one rejects", async () => {
    const { url, options } = await broker({ auth: "password", permissions: '{ publish: { deny: ["secret.>"] } }' });
    const bus = own(await connect(url, options));
    const denied = statusOf(bus, "denied");
    await bus.publish("secret.a", 1);
    expect((await denied).detail).toMatchObject({ operation: "publish", subject: "secret.a" });
    await expect(bus.publish("secret.a", 2)).rejects.toMatchObject({ code: "denied" });
    await roundTrip(bus);
  });

  it("a subscription that is not permitted rejects", async () => {
    const permissions = '{ publish: ">", subscribe: { deny: ["secret.>"] } }';
    const { url, options } = await broker({ auth: "password", permissions });
    const bus = own(await connect(url, options));
    await expect(bus.subscribe("secret.a")).rejects.toMatchObject({ code: "denied" });
    await expect(bus.subscribe("secret.a", { group: "g" })).rejects.toMatchObject({ code: "denied" });
    await roundTrip(bus);
  });

  it("mailboxes, logs and calls that are not permitted are denied within a moment, not after a timeout", async () => {
    const permissions = '{ publish: { deny: ["_quadrant.mail.>", "_quadrant.log.>", "_quadrant.call.>"] } }';
    const { url, options } = await broker({ auth: "password", permissions });
    const bus = own(await connect(url, { ...options, requestTimeoutMs: 20_000 }));
    const box = await bus.mailbox("b");
    await expect(box.send(1)).rejects.toMatchObject({ code: "denied" });
    const log = await bus.log("l");
    await expect(log.append("s", 1)).rejects.toMatchObject({ code: "denied" });
    const stub = bus.client<{ run(): number }>("c", { timeoutMs: 20_000 });
    await expect(Promise.resolve(stub.run())).rejects.toMatchObject({ code: "denied" });
  });
});

describe("a user who may not use JetStream, or what spaces are asked by", () => {
  it("is denied whatever is stored within a moment, not after a timeout", async () => {
    const permissions = '{ publish: { deny: ["$JS.API.>", "_quadrant.space.>"] } }';
    const { url, options } = await broker({ auth: "password", permissions });
    const bus = own(await connect(`${url}?owner=never`, { ...options, requestTimeoutMs: 20_000 }));
    await expect(bus.mailbox("b")).rejects.toMatchObject({ code: "denied" });
    await expect(bus.log("l")).rejects.toMatchObject({ code: "denied" });
    await expect(bus.space("s").then((space) => space.out(["t"]))).rejects.toMatchObject({ code: "denied" });
  });
});

async function statusOf(bus: Bus, kind: BusStatus["kind"]): Promise<BusStatus> {
  for await (const status of bus.status()) if (status.kind === kind) return status;
  throw new Error(`the status ended without ${kind}`);
}
