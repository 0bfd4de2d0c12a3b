import type { Bus } from "@quadrant/contract";
import { type Dashboard, startDashboard } from "@quadrant/dashboard";
import { startGames } from "@quadrant/games";
import { gamesOn } from "./played-games.ts";
import { jobsOn } from "./job-news.ts";

export interface PageOptions {
  readonly host?: string | undefined;
  /** 0 or undefined: a free one. */
  readonly port?: number | undefined;
}

/** The services of the games, and the page, over a bus; both end when it is disposed. */
export async function openPage(bus: Bus, options: PageOptions): Promise<Dashboard> {
  const services = await startGames(bus);
  let connected = true;
  void (async () => {
    for await (const { kind } of bus.status()) {
      if (kind === "disconnected") connected = false;
      if (kind === "connected" || kind === "reconnected") connected = true;
    }
  })().catch(() => undefined);
  try {
    const page = await startDashboard({ games: gamesOn(bus), jobs: jobsOn(bus), hasBus: () => connected, ...options });
    const { url, port } = page;
    return {
      url,
      port,
      async [Symbol.asyncDispose]() {
        await page[Symbol.asyncDispose]();
        await services[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await services[Symbol.asyncDispose]();
    throw error;
  }
}
