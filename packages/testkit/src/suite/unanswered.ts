/** Every operation of the API, to be asked of a broker that does not answer. */
import type {
  BlobStore,
  Bus,
  BusErrorCode,
  Claim,
  Delivery,
  Lease,
  Log,
  Mailbox,
  Server,
  Subscription,
  TupleSpace,
  Worker,
} from "@quadrant/contract";
import { gather, next } from "./collected.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";

/** The requestTimeoutMs of the connection that asks, and the timeoutMs of everything that takes one. */
export const unansweredMs = 1_000;

/** What may be said of an operation that a broker did not answer. */
export const unanswered: readonly BusErrorCode[] = ["unavailable", "timeout", "indefinite"];

export interface Question {
  readonly what: string;
  ask(): PromiseLike<unknown>;
  /** Whether it may also resolve: where nobody has to answer. */
  readonly mayResolve: boolean;
  /** Of a write: how often it has happened, asked when the broker answers again. */
  readonly count?: () => Promise<number>;
}

function question(what: string, ask: () => PromiseLike<unknown>, count?: () => Promise<number>): Question {
  return { what, ask, mayResolve: false, ...(count !== undefined && { count }) };
}

function harmless(what: string, ask: () => PromiseLike<unknown>): Question {
  return { what, ask, mayResolve: true };
}

/** What was had of the broker while it still answered. */
interface Held {
  readonly log: Log<number>;
  readonly box: Mailbox<number>;
  readonly space: TupleSpace;
  readonly letters: readonly Delivery<number>[];
  readonly entries: readonly Delivery<number>[];
  readonly leases: readonly Lease[];
  readonly claims: readonly Claim<unknown>[];
  readonly live: Subscription<unknown>;
  readonly receiver: Subscription<unknown>;
  readonly worker: Worker;
  readonly server: Server;
  readonly blobs: BlobStore | undefined;
}

async function taken<T>(subscription: Subscription<T>, count: number): Promise<readonly T[]> {
  const iterator = subscription[Symbol.asyncIterator]();
  const items: T[] = [];
  while (items.length < count) items.push(await next(iterator));
  return items;
}

async function hold(scene: Scene, bus: Bus): Promise<Held> {
  const name = scene.name();
  const [log, box, space] = [await bus.log<number>(name), await bus.mailbox<number>(name), await bus.space(name)];
  await box.sendMany(range(4));
  for (const n of range(4)) await log.append("s", n);
  await space.outMany(range(3).map((n) => ["claimed", n]));
  return {
    log,
    box,
    space,
    letters: await taken(await box.receive(), 4),
    entries: await taken(await log.subscribe({ durable: "d", from: "first" }), 4),
    leases: [await space.out(["leased", 1], { leaseMs: 60_000 }), await space.out(["leased", 2], { leaseMs: 60_000 })],
    claims: [await space.claim(["claimed", 0]), await space.claim(["claimed", 1]), await space.claim(["claimed", 2])],
    live: await bus.subscribe(scene.name()),
    receiver: await (await bus.mailbox(scene.name())).receive(),
    worker: await (await bus.mailbox(scene.name())).process(() => undefined),
    server: await bus.serve(scene.name(), { run: () => 1 }),
    blobs: bus.support.blobs!.how === "refused" ? undefined : await bus.blobs(scene.name()),
  };
}

const wait = { timeoutMs: unansweredMs };

interface Asking {
  readonly bus: Bus;
  readonly name: string;
  readonly log: Log<number>;
  readonly box: Mailbox<number>;
  readonly space: TupleSpace;
}

/** What is put, each to be counted afterwards. */
function puts({ log, box, space, name }: Asking, scene: Scene): readonly Question[] {
  const letters = async (): Promise<number> => {
    const { waiting, delayed } = await (await scene.bus.mailbox(name)).info();
    return waiting + delayed;
  };
  const tuples =
    (field: string): (() => Promise<number>) =>
    async () =>
      (await scene.bus.space(name)).count([field]);
  return [
    question(
      "append",
      () => log.append("s", 1),
      async () => (await (await scene.bus.log(name)).info()).count,
    ),
    question("send", () => box.send(1), letters),
    question("out", () => space.out(["t"], wait), tuples("t")),
    question("out without a timeout", () => space.out(["v"]), tuples("v")),
    question("outMany", () => space.outMany([["u"]]), tuples("u")),
    question("eval", async () => (await space.eval(() => ["e"])).done, tuples("e")),
  ];
}

function ofTheBus({ bus, name }: Asking, scene: Scene): readonly Question[] {
  const stub = bus.client<{ run(): number; items(): AsyncGenerator<number> }>(name, wait);
  return [
    harmless("publish", () => bus.publish(name, 1)),
    // More than the sockets between take: those that publish have to wait until some of it has left.
    harmless("publish of 12 MiB", () => Promise.all(range(24).map(() => bus.publish(name, "x".repeat(524_288))))),
    question("flush", () => bus.flush()),
    question("subscribe", () => bus.subscribe(name)),
    question("subscribe in a group", () => bus.subscribe(name, { group: "g" })),
    question("log", () => bus.log(scene.name())),
    question("mailbox", () => bus.mailbox(scene.name())),
    question("space", () => bus.space(scene.name())),
    question("serve", () => bus.serve(scene.name(), { run: () => 1 })),
    question("call", () => stub.run()),
    question("call of a stream", () => gather(stub.items())),
    question("services", () => bus.services()),
    question("list of mailboxes", () => bus.list("mailbox")),
    question("list of logs", () => bus.list("log")),
    question("list of spaces", () => bus.list("space")),
  ];
}

function ofLogs({ log }: Asking, { entries, log: held }: Held): readonly Question[] {
  const [first, second, third, fourth] = entries as [
    Delivery<number>,
    Delivery<number>,
    Delivery<number>,
    Delivery<number>,
  ];
  return [
    question("read", () => gather(log.read({ to: "end" }))),
    question("log.subscribe", () => log.subscribe({ durable: "new" })),
    question("last", () => log.last("s")),
    question("log.info", () => log.info()),
    question("log.deadLetters", () => log.deadLetters("d")),
    question("log.redrive", () => log.redrive("d")),
    question("ack of an entry", () => first.ack()),
    question("nak of an entry", () => second.nak()),
    question("reject of an entry", () => third.reject()),
    question("extend of an entry", () => fourth.extend(60_000)),
    question("log.destroy", () => held.destroy()),
  ];
}

function ofMailboxes({ box, bus }: Asking, { letters, box: held }: Held, scene: Scene): readonly Question[] {
  const [first, second, third, fourth] = letters as [
    Delivery<number>,
    Delivery<number>,
    Delivery<number>,
    Delivery<number>,
  ];
  return [
    question("sendMany", () => held.sendMany([1, 2])),
    question("send with a delay", () => held.send(1, { delayMs: 60_000 })),
    question("send with a key", () => held.send(1, { key: "k" })),
    question("send to an address never used", async () => (await bus.mailbox<number>(scene.name())).send(1)),
    harmless("receive", () => box.receive()),
    harmless("process", () => box.process(() => undefined)),
    question("mailbox.info", () => box.info()),
    question("peek", () => box.peek()),
    question("deadLetters", () => box.deadLetters()),
    question("redrive", () => box.redrive()),
    question("purge", () => held.purge()),
    question("ack", () => first.ack()),
    question("nak", () => second.nak({ delayMs: 10 })),
    question("reject", () => third.reject()),
    question("extend", () => fourth.extend(60_000)),
    question("mailbox.destroy", () => held.destroy()),
  ];
}

function ofSpaces({ space }: Asking, { leases, claims, space: held }: Held): readonly Question[] {
  const [first, second, third] = claims as [Claim<unknown>, Claim<unknown>, Claim<unknown>];
  return [
    question("in", () => space.in(["none"], wait)),
    question("rd", () => space.rd(["none"], wait)),
    question("inp", () => space.inp(["none"])),
    question("rdp", () => space.rdp(["none"])),
    question("inMany", () => space.inMany(["none"], { max: 2 })),
    question("rdAll", () => space.rdAll(["none"])),
    question("count", () => space.count(["none"])),
    question("claim", () => space.claim(["none"], wait)),
    question("claim.ack", () => first.ack()),
    question("claim.nak", () => second.nak()),
    question("claim.extend", () => third.extend(60_000)),
    question("lease.renew", () => leases[0]!.renew(60_000)),
    question("lease.cancel", () => leases[1]!.cancel()),
    question("space.destroy", () => held.destroy()),
  ];
}

/** What not every driver has. */
function ofSome({ bus, space }: Asking, { blobs }: Held): readonly Question[] {
  const where = (feature: string, ...questions: readonly Question[]): readonly Question[] =>
    bus.support[feature]!.how === "refused" ? [] : questions;
  return [
    ...where(
      "space.transaction",
      question("transaction", () => bus.transaction()),
    ),
    ...where(
      "space.watch",
      question("watch", () => space.watch(["none"])),
    ),
    ...where(
      "space.collect",
      question("collect", () => space.collect(["none"], space)),
      question("copyCollect", () => space.copyCollect(["none"], space)),
    ),
    ...where(
      "space.inAll",
      question("inAll", () => space.inAll([["none"]], wait)),
    ),
    ...where(
      "space.explain",
      question("explain", () => space.explain(["none"])),
    ),
    ...(blobs === undefined
      ? []
      : [
          question("blobs.put", () => blobs.put("b", new Uint8Array(1))),
          question("blobs.get", () => blobs.get("b")),
          question("blobs.list", () => blobs.list()),
          question("blobs.delete", () => blobs.delete("b")),
          question("list of blob stores", () => bus.list("blobs")),
        ]),
  ];
}

/** What ends things: it need not be heard. */
function endings({ live, receiver, worker, server }: Held): readonly Question[] {
  const all = Object.entries({ subscription: live, receiver, worker, server });
  return all.map(([what, thing]) => harmless(`the end of a ${what}`, () => thing[Symbol.asyncDispose]()));
}

/** To be asked while the broker does not answer, all at once. Made while it does: some need what the broker has given. */
export async function everyQuestion(scene: Scene, bus: Bus): Promise<readonly Question[]> {
  const name = scene.name();
  const [log, box, space] = [await bus.log<number>(name), await bus.mailbox<number>(name), await bus.space(name)];
  await bus.serve(name, {
    run: () => 1,
    async *items() {
      yield 1;
    },
  });
  const asking = { bus, name, log, box, space };
  const held = await hold(scene, bus);
  return [
    ...puts(asking, scene),
    ...ofTheBus(asking, scene),
    ...ofLogs(asking, held),
    ...ofMailboxes(asking, held, scene),
    ...ofSpaces(asking, held),
    ...ofSome(asking, held),
    ...endings(held),
  ];
}
