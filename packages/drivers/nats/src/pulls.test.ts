import { describe, expect, it } from "vitest";
import type { NatsConnection } from "./connection.ts";
import type { Incoming } from "./incoming.ts";
import { type PullSource, Pulls } from "./pulls.ts";

/** A connection on which the test says what arrives, and when. */
class Line {
  readonly connected = true;
  readonly published: (readonly [subject: string, body: string])[] = [];
  #deliver: (message: Incoming) => void = () => undefined;
  /** What is on its way when the server is told to send no more. */
  onItsWay: readonly Incoming[] = [];

  onLost(): void {}

  publish(subject: string, body: Buffer): void {
    this.published.push([subject, body.toString()]);
  }

  subscribe(_subject: string, _queue: undefined, deliver: (message: Incoming) => void) {
    this.#deliver = deliver;
    return {
      close: () => undefined,
      drain: async () => {
        for (const message of this.onItsWay) deliver(message);
      },
    };
  }

  arrive(message: Incoming): void {
    this.#deliver(message);
  }
}

const letter = (reply: string): Incoming => ({ subject: "mail", reply }) as unknown as Incoming;

/** Somebody asked, gave up, and the pull waits on at the server. */
function abandoned(strayed: (message: Incoming) => Promise<void>) {
  const line = new Line();
  const pulls = new Pulls(line as unknown as NatsConnection);
  const source: PullSource = { stream: "S", consumer: "C", strayed };
  const asking = new AbortController();
  const asked = pulls.fetch(source, 8, asking.signal);
  asking.abort();
  return { line, pulls, asked };
}

describe("a client that closes", () => {
  it("waits for what it has begun to give back: nothing else knows of it", async () => {
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const back: string[] = [];
    const { line, pulls, asked } = abandoned(async ({ reply }) => {
      begun.resolve();
      await go.promise;
      back.push(reply);
    });
    expect((await asked).messages).toEqual([]);
    line.arrive(letter("1"));
    line.arrive(letter("2"));
    await begun.promise;
    const closed = pulls.close(performance.now()).then(() => [...back]);
    // Whatever close does at once, it has done.
    await new Promise((resolve) => setImmediate(resolve));
    go.resolve();
    expect(await closed).toEqual(["1", "2"]);
  });

  it("gives up what still comes to a pull that nobody waits for, and what is on its way at the end", async () => {
    const { line, pulls, asked } = abandoned(() => Promise.reject(new Error("it cannot be lent any more")));
    await asked;
    await pulls.close(performance.now());
    line.arrive(letter("1"));
    line.onItsWay = [letter("2")];
    await pulls.end(10_000);
    const order = '-NAK {"delay":100000000}';
    expect(line.published.slice(1)).toEqual([
      ["1", order],
      ["2", order],
    ]);
  });
});
