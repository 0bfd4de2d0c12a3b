/** The page over the game services of `quadrant up`, and people with browsers of their own. */
import { randomBytes } from "node:crypto";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { main, type Program, start } from "../main-job/program.ts";

const slow = { timeout: 60_000 };

export interface Running {
  readonly hub: StartedBroker;
  readonly program: Program;
  /** Of the page. */
  readonly url: string;
}

export async function startedHub(): Promise<StartedBroker> {
  const hub = await startBroker("zeromq", { durable: true });
  onTestFinished(() => hub[Symbol.asyncDispose]());
  return hub;
}

/** `quadrant up` over that hub, with the same token each time, which only its environment tells. */
export async function up(hub: StartedBroker, token: string, port = 0): Promise<Omit<Running, "hub">> {
  const program = start("/usr/bin/env", [
    `QUADRANT_PAGE_TOKEN=${token}`,
    process.execPath,
    main,
    "up",
    "--url",
    hub.url,
    "--port",
    String(port),
    "--json",
  ]);
  await program.until((out) => out.includes("\n"));
  return { program, url: (JSON.parse(program.out()) as { readonly page: string }).page };
}

export async function running(): Promise<Running> {
  const hub = await startedHub();
  return { hub, ...(await up(hub, randomBytes(24).toString("base64url"))) };
}

/** Somebody with a browser of their own. What the page complains of in the console is collected. */
export async function person(browser: Browser, url: string, complaints: string[] = []): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ reducedMotion: "reduce" });
  onTestFinished(() => context.close());
  context.setDefaultTimeout(slow.timeout);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error" && !/WebSocket connection/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  try {
    await page.getByText("Connected", { exact: true }).waitFor();
  } catch (cause) {
    const told = await page.locator("#link").textContent();
    throw new Error(`the page does not connect; it says ${JSON.stringify(told)} and ${complaints.join("; ")}`, {
      cause,
    });
  }
  return page;
}
