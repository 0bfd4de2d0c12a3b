import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { clauses } from "./clauses.ts";

const readme = fileURLToPath(new URL("../../README.md", import.meta.url));

function table(): string {
  const marks = { nothing: "", broker: " ¹", "durable broker": " ²" };
  const rows = clauses.map(({ id, promise, needs }) => `| \`${id}\`${marks[needs]} | ${promise} |`);
  return ["| clause | promise |", "| --- | --- |", ...rows].join("\n");
}

it("the README lists the clauses there are", async () => {
  const text = await readFile(readme, "utf8");
  const begin = text.indexOf("-->", text.indexOf("<!-- clauses")) + 3;
  const end = text.indexOf("<!-- /clauses -->");
  expect(begin).toBeGreaterThan(3);
  expect(end).toBeGreaterThan(begin);
  await expect(`${text.slice(0, begin)}\n\n${table()}\n\n${text.slice(end)}`).toMatchFileSnapshot(readme);
});
