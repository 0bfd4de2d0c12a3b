import type { TupleEvent, WatchPage, WatchRequest } from "@quadrant/contract";
import { abortedError } from "@quadrant/contract";
import type { Fetching } from "./fetching.ts";
import { spaceKey } from "./names.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { bytesOf, listOf, numberOf, type Reply, textOf } from "./resp/reply-reader.ts";
import { watchSpace } from "./scripts/spaces.ts";
import { fromServer, toServer } from "./tuple-texts.ts";

const kinds: Readonly<Record<string, TupleEvent["kind"]>> = { o: "out", i: "in", x: "expire", r: "return" };

/** Pages of what has happened in spaces; who waits for one is woken as readers of logs are. */
export class SpaceWatch {
  readonly #requests: Requests;
  readonly #fetching: Fetching;
  readonly #reopen: (space: string) => Promise<unknown>;

  constructor(requests: Requests, fetching: Fetching, reopen: (space: string) => Promise<unknown>) {
    this.#requests = requests;
    this.#fetching = fetching;
    this.#reopen = reopen;
  }

  async page(space: string, { template, after, follow, max, signal }: WatchRequest): Promise<WatchPage> {
    const what = `watch the space ${space}`;
    const key = spaceKey(space);
    const client = follow ? this.#requests.client : "";
    const began = after ?? 0;
    let at: Argument = after ?? "";
    const page = await this.#fetching.fetch<WatchPage>({
      key: `${key}:e`,
      signal,
      ask: () => {
        const values = [at, toServer(template), max, client, began];
        const asked = this.#requests.ask(watchSpace, key, values, { what, writes: false, untimed: follow });
        const went = (reply: Reply): Reply => {
          const [kind, second, third] = listOf(reply);
          if (kind === 0) at = numberOf(third);
          if (kind === 2) at = numberOf(second);
          return reply;
        };
        return { ...asked, answer: asked.answer.then(went) };
      },
      read: (reply) => pageOf(listOf(reply)),
      giveBack: async () => undefined,
      reopen: () => this.#reopen(space),
      pass: () => undefined,
    });
    if (page === undefined && signal !== undefined) throw abortedError(signal, what, "redis");
    return page ?? { events: [], last: began };
  }
}

function pageOf(reply: readonly Reply[]): WatchPage {
  const events: TupleEvent[] = [];
  for (let at = 2; at < reply.length; at += 3) {
    const kind = kinds[textOf(reply[at + 1])]!;
    events.push({ kind, seq: numberOf(reply[at]), tuple: fromServer(bytesOf(reply[at + 2])) });
  }
  return { events, last: numberOf(reply[1]) };
}
