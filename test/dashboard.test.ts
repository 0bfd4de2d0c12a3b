/** The page in a real Chromium, over the game services of `quadrant up`: what people do with it, while its hub is killed. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect } from "@quadrant/bus";
import { progressSubject } from "@quadrant/mapreduce";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { assertChromium } from "./dashboard/chromium.ts";
import { person as personOf, running, startedHub, up } from "./dashboard/stage.ts";
import { killAll } from "./main-job/program.ts";

let browser: Browser;
beforeAll(async () => {
  // As root it has no sandbox; what it opens is our own.
  browser = await chromium.launch({ executablePath: await assertChromium(), args: ["--no-sandbox"] });
});
afterAll(() => browser?.close());
afterEach(killAll);

const person = (url: string, complaints?: string[]): Promise<Page> => personOf(browser, url, complaints);

const cell = (page: Page, row: number, column: number, holds: string): ReturnType<Page["getByRole"]> =>
  page.getByRole("gridcell", { name: `row ${row}, column ${column}, ${holds}` });

async function opened(page: Page, name: string): Promise<string> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("button", { name: "Open a match" }).click();
  await page.getByText("Waiting for somebody to join.").waitFor();
  return new URL(page.url()).hash.split("/").at(-1) ?? "";
}

async function joined(page: Page, name: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("link", { name: /^Join: Tic-Tac-Toe, Ada/ }).click();
  await page.getByRole("grid").waitFor();
}

/** The record of the match, as it is told. */
const record = (page: Page): Promise<readonly string[]> => page.locator(".moves li").allTextContents();

/** What the master of a MapReduce job tells. */
const job = {
  job: "words",
  name: "word-count",
  phase: "map",
  map: { tasks: 8, done: 3, running: 2, bytes: 1_000_000, bytesDone: 400_000 },
  reduce: { tasks: 2, done: 0, running: 0, bytes: 0, bytesDone: 0 },
  workers: 2,
  failures: 0,
  counters: { words: 12_345 },
  elapsedMs: 1_500,
  remainingMs: 2_000,
};

describe("the page", () => {
  it("takes two through a match and a third who comes late, while the hub is killed", {
    timeout: 180_000,
  }, async () => {
    const complaints: string[] = [];
    const { url, hub } = await running();
    const [ada, bob] = [await person(url, complaints), await person(url, complaints)];
    const id = await opened(ada, "Ada");
    await joined(bob, "Bob");
    await cell(ada, 1, 1, "empty").click();
    await cell(bob, 1, 1, "X").waitFor();
    await cell(bob, 2, 1, "empty").click();
    await cell(ada, 2, 1, "O").waitFor();

    await hub.kill();
    await ada.getByText("The bus is away; waiting for it").waitFor();
    // Made while nobody can take it.
    await cell(ada, 1, 2, "empty").click();
    await hub.restart();
    await cell(bob, 1, 2, "X").waitFor();
    await ada.getByText("Connected", { exact: true }).waitFor();

    const cat = await person(url, complaints);
    await cat.getByRole("link", { name: /^Watch: Tic-Tac-Toe, Ada – Bob/ }).click();
    await cell(cat, 1, 2, "X").waitFor();
    await cell(bob, 2, 2, "empty").click();
    await cell(cat, 2, 2, "O").waitFor();
    await cell(ada, 1, 3, "empty").click();
    await ada.getByText("You have won.").waitFor();
    await bob.getByText("You have lost; Ada has won.").waitFor();
    await cat.locator(".status", { hasText: "Ada has won." }).waitFor();
    const told = await record(cat);
    expect(told).toHaveLength(7);
    expect(await record(ada)).toEqual(told);
    expect(await record(bob)).toEqual(told);
    expect(new Set(told).size).toBe(told.length);

    await cat.getByRole("link", { name: "Replay" }).click();
    const slider = cat.getByRole("slider", { name: "Step" });
    await cat.getByText(/^Step 7 of 7: Ada: row 1, column 3/).waitFor();
    await slider.press("Home");
    await cat.getByText(/^Step 1 of 7/).waitFor();
    await slider.press("ArrowRight");
    await cat.getByRole("button", { name: "Forward" }).click();
    await cell(cat, 1, 1, "X").waitFor();
    expect(await cat.getByRole("gridcell", { name: /empty$/ }).count()).toBe(8);
    expect(new URL(cat.url()).hash).toBe(`#/replay/${id}`);
    await cat.getByRole("link", { name: "Leaderboard" }).click();
    await cat.getByRole("row", { name: "1 Ada 1216 1 1 0 0" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("comes back by itself when its server and the referee were killed, with every step once", {
    timeout: 180_000,
  }, async () => {
    const hub = await startedHub();
    const token = randomBytes(24).toString("base64url");
    const { program, url } = await up(hub, token);
    const [ada, bob] = [await person(url), await person(url)];
    await opened(ada, "Ada");
    await joined(bob, "Bob");
    await cell(ada, 2, 2, "empty").click();
    await cell(bob, 2, 2, "X").waitFor();
    program.child.kill("SIGKILL");
    for (const page of [ada, bob]) await page.getByText("Connection lost; trying again").waitFor();
    // Asked while nobody is there, and asked again.
    await cell(bob, 1, 1, "empty").click();
    await up(hub, token, Number(new URL(url).port));
    await cell(ada, 1, 1, "O").waitFor();
    await cell(ada, 3, 3, "empty").click();
    await cell(bob, 3, 3, "X").waitFor();
    const told = await record(ada);
    expect(told).toHaveLength(5);
    expect(await record(bob)).toEqual(told);
  });

  it("is played against a bot, which is not to be beaten", { timeout: 120_000 }, async () => {
    const { url } = await running();
    const ada = await person(url);
    await ada.getByLabel("Your name").fill("Ada");
    await ada.getByRole("button", { name: "Play a bot" }).click();
    const over = ada.locator(".status", { hasText: /You have lost|A draw/ });
    const turn = ada.locator(".status", { hasText: "Your turn." });
    for (;;) {
      await turn.or(over).waitFor();
      if (await over.isVisible()) break;
      const moves = (await record(ada)).length;
      await ada
        .getByRole("gridcell", { name: /empty$/ })
        .first()
        .click();
      // Ours and the bot's answer; the end may come with either.
      await ada.locator(".moves li").nth(moves).waitFor();
      await ada
        .locator(".moves li")
        .nth(moves + 1)
        .or(over)
        .first()
        .waitFor();
    }
    await ada.getByRole("button", { name: "Rematch" }).waitFor();
  });

  it("is played with the keyboard, and says what happens", { timeout: 120_000 }, async () => {
    const { url } = await running();
    const [ada, bob] = [await person(url), await person(url)];
    await opened(ada, "Ada");
    await joined(bob, "Bob");
    await ada.locator(".status", { hasText: "Your turn." }).waitFor();
    await cell(ada, 2, 2, "empty").focus();
    await ada.keyboard.press("ArrowLeft");
    await ada.keyboard.press("ArrowUp");
    await ada.keyboard.press("ArrowUp");
    const focused = (): Promise<unknown> => ada.evaluate("document.activeElement.getAttribute('aria-label')");
    expect(await focused()).toBe("row 1, column 1, empty");
    await ada.keyboard.press("Enter");
    await cell(bob, 1, 1, "X").waitFor();
    await ada.locator("#news p", { hasText: "Ada: row 1, column 1" }).waitFor({ state: "attached" });
    await cell(ada, 1, 1, "X").waitFor();
    expect(await focused()).toBe("row 1, column 1, X");
    // One stop for the Tab key in the whole grid.
    expect(await ada.locator('[role="gridcell"][tabindex="0"]').count()).toBe(1);
    await ada.getByRole("gridcell").nth(8).click({ force: true });
    expect(await record(ada)).toHaveLength(3);
  });

  it("is accessible, fits 360 pixels, in light and dark", { timeout: 180_000 }, async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const { url, hub } = await running();
    const [ada, bob] = [await person(url), await person(url)];
    const id = await opened(ada, "Ada");
    await joined(bob, "Bob");
    await cell(ada, 2, 2, "empty").click();
    await cell(ada, 2, 2, "X").waitFor();
    await using bus = await connect(hub.url);
    await bus.publish(progressSubject("words"), job);
    await ada.setViewportSize({ width: 360, height: 740 });
    for (const colorScheme of ["light", "dark"] as const) {
      await ada.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const hash of ["#/", `#/match/${id}`, `#/replay/${id}`, "#/leaders", "#/jobs"]) {
        await ada.evaluate(`location.hash = ${JSON.stringify(hash)}`);
        await ada.locator("h1").waitFor();
        if (hash.length > 10) await ada.getByRole("grid").waitFor();
        if (hash === "#/jobs") await ada.getByRole("heading", { name: "word-count words" }).waitFor();
        // Past the policy of the page, which lets no script in: evaluated by the debugger.
        await ada.evaluate(axe);
        const flaws = await ada.evaluate(
          "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
        );
        expect(flaws, `${hash} ${colorScheme}`).toEqual([]);
        expect(await ada.evaluate("document.documentElement.scrollWidth"), hash).toBeLessThanOrEqual(360);
      }
    }
  });
});
