import { connected, type Session } from "../session.ts";

/** The games and their page beside other work, over a connection of their own. That they cannot start is told, and stops nobody. */
export class PageBeside {
  /** Resolves once it is up, or cannot be: undefined. */
  readonly url: Promise<string | undefined>;
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  /** `brokerDied`: of a broker of this command's own, which has no keys. */
  constructor(session: Session, url: string, brokerDied: Promise<Error> | undefined) {
    const up = Promise.withResolvers<string | undefined>();
    this.url = up.promise;
    void brokerDied?.then(() => this.#ending.abort());
    this.#ended = this.#run(session, url, brokerDied, up.resolve)
      .catch((error: unknown) => {
        if (!this.#ending.signal.aborted && !session.signal.aborted) {
          session.output.warn(`the page could not start: ${(error as Error).message}`);
        }
      })
      .finally(() => up.resolve(undefined));
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(
    session: Session,
    url: string,
    brokerDied: Promise<Error> | undefined,
    up: (url: string) => void,
  ): Promise<void> {
    const { output } = session;
    const signal = AbortSignal.any([session.signal, this.#ending.signal]);
    const keys = brokerDied === undefined ? session.keys : {};
    const connection = { url, name: "quadrant page", connectTimeoutMs: undefined, keys, signal, output };
    await connected(connection, async (bus) => {
      // Whoever waits for an answer need not wait for a deadline.
      void brokerDied?.then(() => bus.close({ drainMs: 0 }));
      const { openPage } = await import("./page.ts");
      const page = await openPage(bus, {});
      try {
        output.talkPlainly(`the page is at ${page.url}`);
        up(page.url);
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          else signal.addEventListener("abort", () => resolve(), { once: true });
        });
      } finally {
        await page[Symbol.asyncDispose]();
      }
    });
  }
}
