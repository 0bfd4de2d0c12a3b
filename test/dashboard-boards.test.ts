/** Every game of the page played to its end in a real Chromium: between two people, and against a bot. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { assertChromium, installChromium } from "./dashboard/chromium.ts";
import { person, running } from "./dashboard/stage.ts";
import { killAll } from "./main-job/program.ts";

let browser: Browser;
let axe: string;
beforeAll(async () => {
  await installChromium();
  browser = await chromium.launch({ executablePath: await assertChromium(), args: ["--no-sandbox"] });
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
}, 120_000);
afterAll(() => browser?.close());
afterEach(killAll);

const over = (page: Page) => page.locator(".status", { hasText: /You have won|You have lost|A draw/ });
const turn = (page: Page) => page.locator(".status", { hasText: "Your turn." });
/** What may be chosen now. */
const open = (page: Page) => page.locator('[role="gridcell"]:not([aria-disabled])');

async function begin(page: Page, game: string, name: string, how: string): Promise<void> {
  await page.getByLabel("Your name").fill(name);
  await page.getByRole("radio", { name: game }).check();
  await page.getByRole("button", { name: how }).click();
}

/** Makes a move where it is this one's turn: a fleet is placed, else the cell of a sequence without a pattern. */
async function move(page: Page, count: number): Promise<void> {
  const place = page.getByRole("button", { name: "Place this fleet" });
  const moves = await page.locator(".moves li").count();
  if (await place.isVisible()) await place.click();
  else {
    await open(page).first().waitFor();
    await open(page)
      .nth((count * 7) % (await open(page).count()))
      .click();
  }
  await page.locator(".moves li").nth(moves).waitFor();
}

/** Until it is over for all of them. */
async function playOut(pages: readonly Page[]): Promise<void> {
  for (let count = 0; count < 400; count++) {
    const states = pages.map((page) =>
      turn(page)
        .or(over(page))
        .first()
        .waitFor()
        .then(() => page),
    );
    const page = await Promise.any(states);
    if (await over(page).isVisible()) {
      await Promise.all(pages.map((each) => over(each).waitFor()));
      return;
    }
    await move(page, count);
  }
  expect.fail("no end in 400 moves");
}

async function assertAccessible(page: Page): Promise<void> {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.evaluate(axe);
    const flaws = await page.evaluate(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))",
    );
    expect(flaws, colorScheme).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(360);
  }
}

describe.each(["Connect Four", "Nim", "Battleship"])("%s", (game) => {
  it("is played to its end by two, and its record is the same for both", { timeout: 240_000 }, async () => {
    const complaints: string[] = [];
    const { url } = await running();
    const [ada, bob] = [await person(browser, url, complaints), await person(browser, url, complaints)];
    await begin(ada, game, "Ada", "Open a match");
    await ada.getByText("Waiting for somebody to join.").waitFor();
    await bob.getByLabel("Your name").fill("Bob");
    await bob.getByRole("link", { name: new RegExp(`^Join: ${game}, Ada`) }).click();
    await playOut([ada, bob]);
    const told = [ada, bob].map((page) => page.locator(".moves li").allTextContents());
    const [first, second] = await Promise.all(told);
    expect(second).toEqual(first);
    expect([await over(ada).textContent(), await over(bob).textContent()].join(" ")).toMatch(
      /won.*lost|lost.*won|draw.*draw/s,
    );
    await assertAccessible(ada);
    expect(complaints).toEqual([]);
  });

  it("is played to its end against a bot", { timeout: 240_000 }, async () => {
    const { url } = await running();
    const ada = await person(browser, url);
    await begin(ada, game, "Ada", "Play a bot");
    await playOut([ada]);
    await ada.getByRole("button", { name: "Rematch" }).waitFor();
  });
});
