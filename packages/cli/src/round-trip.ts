import { randomBytes } from "node:crypto";
import type { Bus } from "@quadrant/contract";

/** How long a round trip took, over many: milliseconds. */
export interface Latency {
  readonly rounds: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface RoundTrip {
  readonly name: string;
  /** Measures it on a bus, leaving nothing behind. */
  measure(bus: Bus, rounds: number): Promise<Latency>;
}

/** Nobody else's name: what a check makes and removes must not be anybody's. */
function ownName(): string {
  return `quadrant-doctor-${randomBytes(8).toString("hex")}`;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function time(rounds: number, round: (index: number) => Promise<void>): Promise<Latency> {
  // The first ones pay for connections, code and caches.
  for (let i = 0; i < 10; i++) await round(-1 - i);
  const took: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const began = performance.now();
    await round(i);
    took.push(performance.now() - began);
  }
  took.sort((a, b) => a - b);
  return { rounds, p50: percentile(took, 0.5), p99: percentile(took, 0.99), max: took.at(-1) ?? 0 };
}

/** The next of an iterator, or a failure when it takes longer than any healthy bus. */
async function within<T>(what: string, next: Promise<IteratorResult<T>>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing came back within 5 s`)), 5_000);
  });
  try {
    const { value, done } = await Promise.race([next, late]);
    if (done) throw new Error(`${what}: it ended before anything came back`);
    return value;
  } finally {
    clearTimeout(timer);
  }
}

async function publishRoundTrip(bus: Bus, rounds: number): Promise<Latency> {
  const subject = ownName();
  const subscription = await bus.subscribe(subject);
  try {
    const messages = subscription[Symbol.asyncIterator]();
    return await time(rounds, async (index) => {
      await bus.publish(subject, index);
      const { data } = await within("publish", messages.next());
      if (data !== index) throw new Error(`publish: ${index} was sent and ${JSON.stringify(data)} came back`);
    });
  } finally {
    await subscription[Symbol.asyncDispose]();
  }
}

async function callRoundTrip(bus: Bus, rounds: number): Promise<Latency> {
  const address = ownName();
  const echo = { echo: (value: number): number => value };
  const server = await bus.serve(address, echo);
  try {
    const client = bus.client<typeof echo>(address);
    return await time(rounds, async (index) => {
      if ((await client.echo(index)) !== index) throw new Error("call: the answer is not that of the call");
    });
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

async function letterRoundTrip(bus: Bus, rounds: number): Promise<Latency> {
  const mailbox = await bus.mailbox<number>(ownName());
  try {
    const letters = await mailbox.receive();
    try {
      const arrived = letters[Symbol.asyncIterator]();
      return await time(rounds, async (index) => {
        await mailbox.send(index);
        const letter = await within("letter", arrived.next());
        if (letter.data !== index) throw new Error(`letter: ${index} was sent and ${letter.data} came back`);
        await letter.ack();
      });
    } finally {
      await letters[Symbol.asyncDispose]();
    }
  } finally {
    await mailbox.destroy();
  }
}

async function tupleRoundTrip(bus: Bus, rounds: number): Promise<Latency> {
  const space = await bus.space(ownName());
  try {
    return await time(rounds, async (index) => {
      await space.out(["doctor", index]);
      await space.in(["doctor", index], { timeoutMs: 5_000 });
    });
  } finally {
    await space.destroy();
  }
}

async function blobRoundTrip(bus: Bus, rounds: number): Promise<Latency> {
  const store = await bus.blobs(ownName());
  const content = new Uint8Array(1_000);
  try {
    return await time(rounds, async () => {
      await store.put("blob", content);
      let bytes = 0;
      for await (const chunk of (await store.get("blob")) ?? []) bytes += chunk.length;
      if (bytes !== content.length) throw new Error(`blob: ${content.length} bytes were put and ${bytes} came back`);
    });
  } finally {
    await store.destroy();
  }
}

/** One of each model, and blobs: what is sent comes back the way a user would see it. */
export const roundTrips: readonly RoundTrip[] = [
  { name: "publish → receive", measure: publishRoundTrip },
  { name: "call → answer", measure: callRoundTrip },
  { name: "send → receive → ack", measure: letterRoundTrip },
  { name: "out → in", measure: tupleRoundTrip },
  { name: "put → get", measure: blobRoundTrip },
];
