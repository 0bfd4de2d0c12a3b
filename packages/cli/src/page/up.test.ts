/** `quadrant up` as a process: what it prints, what it serves, and that nothing is left of it. */
import { expect, it, onTestFinished } from "vitest";
import { Child } from "../child.ts";

it.each(["memory:", undefined])(
  "up at %s prints the page's address, serves it, and ends with all it started",
  async (url) => {
    const told: string[] = [];
    const args = url === undefined ? ["up", "--json"] : ["up", "--json", "--url", url];
    const child = new Child(args, { QUADRANT_URL: undefined }, (text) => told.push(text), "pipe");
    onTestFinished(() => child.stop(true));
    let line = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      line += chunk;
      if (line.includes("\n")) break;
    }
    const { page } = JSON.parse(line) as { readonly page: string };
    expect(page).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{32}$/);
    const first = await fetch(page, { redirect: "manual" });
    expect(first.status).toBe(303);
    const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
    const served = await fetch(new URL("/", page), { headers: { cookie } });
    expect(await served.text()).toContain("<title>Quadrant</title>");
    await child.stop();
    expect(await child.exited).toEqual({ code: 130, signal: null });
    await expect(fetch(page)).rejects.toThrow("fetch failed");
  },
);
