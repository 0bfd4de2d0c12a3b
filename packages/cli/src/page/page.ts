import type { Bus } from "@quadrant/contract";
import { type Dashboard, startDashboard } from "@quadrant/dashboard";
import { startGames } from "@quadrant/games";
import { jobsOn } from "./job-news.ts";
import { gamesOn } from "./played-games.ts";

export interface PageOptions {
  readonly host?: string | undefined;
  /** 0 or undefined: a free one. */
  readonly port?: number | undefined;
  /** Undefined: a new one. */
  readonly token?: string | undefined;
}

/** The services of the games, and the page, over a bus; both end when it is disposed. */
export async function openPage(bus: Bus, options: PageOptions): Promise<Dashboard> {
  const opened: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
  };
  try {
    opened.push(await startGames(bus));
    const hasBus = watchLink(bus);
    const page = await startDashboard({ games: gamesOn(bus), jobs: jobsOn(bus), hasBus, ...options });
    opened.push(page);
    return { url: page.url, port: page.port, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Whether the bus has its broker; ends with the bus. */
function watchLink(bus: Bus): () => boolean {
  let connected = true;
  void (async () => {
    for await (const { kind } of bus.status()) {
      if (kind === "disconnected") connected = false;
      if (kind === "connected" || kind === "reconnected") connected = true;
    }
  })().catch(() => undefined);
  return () => connected;
}
