import { connect } from "@quadrant/bus";
import type {
  BlobStore,
  Bus,
  ConnectOptions,
  Delivery,
  Lease,
  Log,
  Mailbox,
  Message,
  Subscription,
  TupleSpace,
} from "@quadrant/contract";
import { BusError } from "@quadrant/contract";
import { describe, expect, it } from "vitest";
import { clauses } from "./clauses.ts";
import { describeDriver } from "./describe.ts";
import { closePair, openPair, Scene } from "./scene.ts";

/** The target with some of its members replaced; each replacement gets the target to do the rest. */
function replacing<T extends object>(target: T, members: { [K in keyof T]?: (target: T) => T[K] }): T {
  return new Proxy(target, {
    get(on, name) {
      const replacement = members[name as keyof T];
      if (replacement !== undefined) return replacement(on);
      const value: unknown = Reflect.get(on, name, on);
      return typeof value === "function" ? value.bind(on) : value;
    },
  });
}

/** The subscription with each of its items replaced by others. */
function mapped<M>(subscription: Subscription<M>, replace: (item: M) => readonly M[]): Subscription<M> {
  return {
    get dropped() {
      return subscription.dropped;
    },
    async *[Symbol.asyncIterator]() {
      for await (const item of subscription) yield* replace(item);
    },
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  };
}

type Break = (bus: Bus) => Bus;

const ofMailbox = (break_: (box: Mailbox<unknown>) => Mailbox<unknown>): Break => {
  return (bus) =>
    replacing(bus, {
      mailbox: (on) => async (address, options) => break_((await on.mailbox(address, options)) as never) as never,
    });
};

const ofSpace = (break_: (space: TupleSpace) => TupleSpace): Break => {
  return (bus) => replacing(bus, { space: (on) => async (name, options) => break_(await on.space(name, options)) });
};

const ofBlobs = (break_: (store: BlobStore) => BlobStore): Break => {
  return (bus) => replacing(bus, { blobs: (on) => async (name) => break_(await on.blobs(name)) });
};

const ofLog = (break_: (log: Log<unknown>) => Log<unknown>): Break => {
  return (bus) =>
    replacing(bus, { log: (on) => async (name, options) => break_((await on.log(name, options)) as never) as never });
};

const ofSubscription = (break_: (messages: Subscription<Message<never>>) => Subscription<Message<never>>): Break => {
  return (bus) =>
    replacing(bus, {
      subscribe: (on) => async (pattern, options) => break_((await on.subscribe(pattern, options)) as never) as never,
    });
};

const ofDelivery = (break_: (delivery: Delivery<unknown>) => Delivery<unknown>): Break => {
  return ofMailbox((box) =>
    replacing(box, {
      receive: (on) => async (options) => {
        const receiver = await on.receive(options);
        return mapped(receiver, (delivery) => [break_(delivery)]);
      },
    }),
  );
};

/** The error a broken thing keeps to itself. */
const swallowed = async (operation: Promise<void>): Promise<void> => operation.catch(() => undefined);

function putOne(space: TupleSpace, tuple: unknown): Promise<Lease> {
  return space.out(tuple as readonly []);
}

let held: (() => Promise<void>) | undefined;

/** All that an iterable gives before it throws. */
async function untilItFails(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of source) chunks.push(chunk);
  } catch {
    // What came before it is kept.
  }
  return Buffer.concat(chunks);
}

/** What can be wrong with a driver, and the clause that has to find it. */
const defects: readonly { readonly defect: string; readonly clause: string; readonly plant: Break }[] = [
  {
    defect: "delivers a message twice",
    clause: "pubsub/once",
    plant: ofSubscription((messages) => mapped(messages, (message) => [message, message])),
  },
  {
    defect: "sends messages in pairs, the second first",
    clause: "pubsub/order",
    plant: (bus) =>
      replacing(bus, {
        publish: (on) => async (subject, data, options) => {
          const before = held;
          held = before === undefined ? () => on.publish(subject, data, options) : undefined;
          if (before === undefined) return;
          await on.publish(subject, data, options);
          await before();
        },
      }),
  },
  {
    defect: "alters a header",
    clause: "pubsub/fields",
    plant: (bus) =>
      replacing(bus, {
        publish: (on) => (subject, data) => on.publish(subject, data, { headers: { "x-kind": "Groesse" } }),
      }),
  },
  {
    defect: "matches by prefix",
    clause: "pubsub/matching",
    plant: (bus) =>
      replacing(bus, {
        subscribe: (on) => (pattern, options) =>
          on.subscribe(pattern.endsWith(".a") ? pattern.replace(/\.a$/, ".>") : pattern, options),
      }),
  },
  {
    defect: "gives every member of a group every message",
    clause: "groups/exactly-one",
    plant: (bus) =>
      replacing(bus, {
        subscribe: (on) => (pattern, options) => on.subscribe(pattern, { ...options, group: undefined }),
      }),
  },
  {
    defect: "forgets the expectation of an append",
    clause: "log/expect-last",
    plant: ofLog((log) => replacing(log, { append: (on) => (subject, data) => on.append(subject, data) })),
  },
  {
    defect: "lets an expectation hold for several at once",
    clause: "log/expect-last-race",
    plant: ofLog((log) =>
      replacing(log, {
        append: (on) => async (subject, data, options) => {
          const last = (await on.last(subject))?.seq ?? 0;
          if (options?.expectLast !== last) throw new BusError("conflict", "another was quicker");
          return on.append(subject, data);
        },
      }),
    ),
  },
  {
    defect: "forgets the id of a letter",
    clause: "mailbox/dedupe",
    plant: ofMailbox((box) => replacing(box, { send: (on) => (data) => on.send(data) })),
  },
  {
    defect: "reverses a batch",
    clause: "mailbox/send-many",
    plant: ofMailbox((box) =>
      replacing(box, { sendMany: (on) => (data, options) => on.sendMany(data.toReversed(), options) }),
    ),
  },
  {
    defect: "accepts an acknowledgement after the lease",
    clause: "lease/fencing",
    plant: ofDelivery((delivery) => replacing(delivery, { ack: (on) => () => swallowed(on.ack()) })),
  },
  {
    defect: "accepts any settlement after the lease",
    clause: "lease/stale-settlement",
    plant: ofDelivery((delivery) => replacing(delivery, { nak: (on) => () => swallowed(on.nak()) })),
  },
  {
    defect: "does not count attempts",
    clause: "lease/runs-out",
    plant: ofDelivery((delivery) => replacing(delivery, { attempt: () => 1 })),
  },
  {
    defect: "delivers before the delay",
    clause: "time/delay",
    plant: ofMailbox((box) => replacing(box, { send: (on) => (data) => on.send(data) })),
  },
  {
    defect: "forgets the key of a letter",
    clause: "keys/held-back",
    plant: ofMailbox((box) => replacing(box, { send: (on) => (data) => on.send(data) })),
  },
  {
    defect: "takes a tuple and leaves it",
    clause: "space/equal-tuples",
    plant: ofSpace((space) => replacing(space, { inp: (on) => (template) => on.rdp(template) })),
  },
  {
    defect: "puts a part of a batch",
    clause: "space/out-many",
    plant: ofSpace((space) =>
      replacing(space, {
        outMany: (on) => async (tuples) => {
          for (const tuple of tuples) await putOne(on, tuple);
        },
      }),
    ),
  },
  {
    defect: "loses what a taker that gave up had captured",
    clause: "waiters/abort-race",
    plant: ofSpace((space) =>
      replacing(space, {
        in: (on) => async (template, wait) => {
          const tuple = await on.in(template, { ...wait, signal: undefined });
          if (wait?.signal?.aborted) throw new BusError("aborted", "given up");
          return tuple;
        },
      }),
    ),
  },
  {
    defect: "stores a pulse",
    clause: "waiters/pulse",
    plant: ofSpace((space) => replacing(space, { out: (on) => async (tuple) => putOne(on, tuple) })),
  },
  {
    defect: "puts a claimed tuple back at the end",
    clause: "claim/put-back",
    plant: ofSpace((space) =>
      replacing(space, {
        claim: (on) => async (template, options) => {
          const claim = await on.claim(template, options);
          return replacing(claim, {
            nak: (of) => async () => {
              await of.ack();
              await putOne(on, of.tuple);
            },
          });
        },
      }),
    ),
  },
  {
    defect: "keeps what a source gave that failed",
    clause: "blobs/source",
    plant: ofBlobs((store) =>
      replacing(store, {
        put: (on) => async (name, data) => {
          if (data instanceof Uint8Array || !(Symbol.asyncIterator in Object(data))) return on.put(name, data);
          await on.put(name, await untilItFails(data));
          return on.put("", data);
        },
      }),
    ),
  },
  {
    defect: "makes a blob seen before it is complete",
    clause: "blobs/atomic",
    plant: ofBlobs((store) =>
      replacing(store, {
        put: (on) => async (name, data) => {
          await on.put(name, new Uint8Array(1));
          return on.put(name, data);
        },
      }),
    ),
  },
  {
    defect: "goes on with another version of what it reads",
    clause: "blobs/changed-while-read",
    plant: ofBlobs((store) =>
      replacing(store, {
        get: (on) => async (name) => {
          const blob = await on.get(name);
          if (blob === undefined) return undefined;
          return (async function* () {
            for await (const chunk of blob) {
              yield chunk;
              break;
            }
            yield* (await on.get(name)) ?? [];
          })();
        },
      }),
    ),
  },
  {
    defect: "has always deleted something",
    clause: "blobs/delete",
    plant: ofBlobs((store) =>
      replacing(store, {
        delete: (on) => async (name) => {
          await on.delete(name);
          return true;
        },
      }),
    ),
  },
  {
    defect: "lists blobs as they come",
    clause: "blobs/list",
    plant: ofBlobs((store) =>
      replacing(store, { list: (on) => async (prefix) => (await on.list(prefix)).toReversed() }),
    ),
  },
  {
    defect: "says timeout where nobody serves",
    clause: "calls/no-responder",
    plant: (bus) =>
      replacing(bus, {
        client: () => () => ({ add: () => Promise.reject(new BusError("timeout", "nobody answered")) }) as never,
      }),
  },
  {
    defect: "takes any subject",
    clause: "bad-input/names",
    plant: (bus) =>
      replacing(bus, { publish: (on) => (subject, data) => on.publish(subject.replaceAll("..", "."), data) }),
  },
  {
    defect: "works on after close",
    clause: "close/used-after",
    plant: (bus) => replacing(bus, { flush: () => async () => undefined }),
  },
];

async function run(id: string, plant: Break): Promise<void> {
  const clause = clauses.find((each) => each.id === id)!;
  const environment = { url: `memory:defects-${process.pid}`, close: async () => {} };
  const options = {
    connect: async (url: string, more?: ConnectOptions) => plant(await connect(url, more)),
    scale: 0.1,
  };
  const pair = await openPair(environment, options);
  const scene = new Scene(environment, pair, options);
  try {
    await clause.run(scene);
  } finally {
    await scene.end();
    await closePair(pair);
  }
}

describe("the suite finds a driver that", () => {
  for (const { defect, clause, plant } of defects) {
    it(`${defect} (${clause})`, async () => {
      // By what it sees, not because something never comes.
      await expect(run(clause, plant)).rejects.not.toMatchObject({ message: expect.stringContaining("in vain") });
      await run(clause, (bus) => bus);
    });
  }
});

describe("the list of clauses", () => {
  it("gives each an id of its own: concern/what", () => {
    for (const { id } of clauses) expect(id).toMatch(/^[a-z-]+\/[a-z0-9-]+$/);
    expect(new Set(clauses.map(({ id }) => id)).size).toBe(clauses.length);
  });

  it("knows what can be exempted", () => {
    const open = async () => ({ url: "memory:", close: async () => {} });
    expect(() => describeDriver("x", open, { exemptions: { "no/such-clause": "why" } })).toThrow("no such clause");
    expect(() => describeDriver("x", open, { exemptions: { "pubsub/once": " " } })).toThrow("no reason");
  });
});
