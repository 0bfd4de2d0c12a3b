/** The report of the lab in a real browser: it asks the network for nothing, fits a telephone, filters, and prints. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { conduct, experiments, writeReport } from "@quadrant/lab";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertChromium, installChromium } from "./dashboard/chromium.ts";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let folder: string;
let browser: Browser;

beforeAll(async () => {
  await installChromium();
  browser = await chromium.launch({ executablePath: await assertChromium(), args: ["--no-sandbox"] });
  folder = await mkdtemp(join(tmpdir(), "quadrant-lab-report-"));
  const chosen = experiments.filter(({ name }) => /coupling$|fan-out|throughput/.test(name));
  const { signal } = new AbortController();
  const silent = { begins: () => undefined, running: () => undefined, done: () => undefined };
  const terms = { experiments: chosen, drivers: ["memory", "file"] as const, quick: true, repetitions: 2, seed: 1 };
  const run = await conduct({ ...terms, out: folder, command: "test", signal, progress: silent });
  await writeReport(folder, run, chosen);
}, 240_000);
afterAll(async () => {
  await browser?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

async function opened(width: number, colorScheme: "light" | "dark"): Promise<{ page: Page; asked: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(pathToFileURL(join(folder, "report.html")).href);
  return { page, asked };
}

describe.each([1_280, 360])("at %i px", (width) => {
  it.each(["light", "dark"] as const)("in %s colours it fits, is accessible, and asks for nothing", async (scheme) => {
    const { page, asked } = await opened(width, scheme);
    for (const details of await page.locator("details").all())
      await details.evaluate((each) => each.setAttribute("open", ""));
    expect(
      await page.locator("html").evaluate((html) => (html as unknown as { scrollWidth: number }).scrollWidth),
    ).toBeLessThanOrEqual(width);
    expect(asked).toHaveLength(1);
    // The page's own policy forbids scripts from elsewhere; what the browser itself evaluates is not bound by it.
    await page.evaluate(await readFile(axe, "utf8"));
    const { violations } = await page.evaluate(() =>
      (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe.run(),
    );
    expect(violations.map(({ id }) => id)).toEqual([]);
    await page.close();
  });
});

it("models and drivers can be left out, of tables and of plots", async () => {
  const { page } = await opened(1_280, "light");
  const rows = page.locator('tr[data-mark~="mailbox"]');
  expect(await rows.count()).toBeGreaterThan(3);
  const shown = (): Promise<number> =>
    rows.evaluateAll((all) => all.filter((row) => !(row as unknown as { hidden: boolean }).hidden).length);
  const marks = (): Promise<number> =>
    page
      .locator('svg [data-mark^="mailbox "]')
      .evaluateAll(
        (all) =>
          all.filter((mark) => (mark as unknown as { style: { display: string } }).style.display !== "none").length,
      );
  const before = await marks();
  expect(before).toBeGreaterThan(0);
  await page.getByLabel("mailbox", { exact: true }).uncheck();
  expect([await shown(), await marks()]).toEqual([0, 0]);
  await page.getByLabel("mailbox", { exact: true }).check();
  expect(await marks()).toBe(before);
  await page.getByLabel("file", { exact: true }).uncheck();
  expect(await marks()).toBe(before / 2);
  await page.close();
});

it("in print all figures are shown and no controls", async () => {
  const { page } = await opened(1_280, "dark");
  await page.emulateMedia({ media: "print" });
  expect(await page.locator("form").isVisible()).toBe(false);
  expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(20_000);
  expect(
    await page
      .locator("details")
      .first()
      .evaluate((each) => each.hasAttribute("open")),
  ).toBe(true);
  await page.close();
});
