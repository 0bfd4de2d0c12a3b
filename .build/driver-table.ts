/** The README's table of what each driver does, made from what the drivers say of themselves. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type ConnectOptions, connect, type Support } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { startHub } from "@quadrant/zeromq";

export interface DriverSupport {
  /** The URL's scheme, as the table's heading; with the version of a server that is not ours. */
  readonly scheme: string;
  readonly support: Support;
}

/** As it is on the server that is to be had here. */
async function askBroker(kind: "nats" | "redis"): Promise<DriverSupport> {
  const broker = await startBroker(kind, { durable: kind === "redis" ? "always" : true });
  try {
    return await ask(`${kind}: ${broker.version}`, broker.url, broker.options);
  } finally {
    await broker[Symbol.asyncDispose]();
  }
}

/** Opens every driver once. What needs a server starts one on a free port. */
export async function askDrivers(): Promise<readonly DriverSupport[]> {
  const folder = mkdtempSync(join(tmpdir(), "quadrant-support-"));
  const hub = await startHub({ url: "zmq://127.0.0.1:0" });
  const durable = await startHub({ url: "zmq://127.0.0.1:0", data: join(folder, "hub") });
  try {
    return [
      await ask("memory:", "memory:"),
      await ask("file:", pathToFileURL(join(folder, "file")).href),
      await ask("zmq:", hub.url),
      await ask("zmq: durable", durable.url),
      await askBroker("nats"),
      await askBroker("redis"),
    ];
  } finally {
    await Promise.all([hub[Symbol.asyncDispose](), durable[Symbol.asyncDispose]()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(scheme: string, url: string, options: ConnectOptions = {}): Promise<DriverSupport> {
  const bus = await connect(url, { ...options, name: "support" });
  try {
    return { scheme, support: bus.support };
  } finally {
    await bus.close();
  }
}

/** A row for each feature, a column for each driver, with the driver's own reason in each cell, or ← for that to its left. */
export function driverTable(drivers: readonly DriverSupport[]): string {
  const cell = (feature: string, { support }: DriverSupport): string => {
    const said = support[feature];
    if (said === undefined) return "not said";
    const how = said.how === "native" ? "native" : `**${said.how}**`;
    return said.note === "" ? how : `${how}: ${said.note.replaceAll("|", "\\|")}`;
  };
  const cells = (feature: string): string[] => {
    const said = drivers.map((each) => cell(feature, each));
    return said.map((each, at) => (at > 0 && each === said[at - 1] ? "←" : each));
  };
  const features = [...new Set(drivers.flatMap(({ support }) => Object.keys(support)))];
  return [
    `| | ${drivers.map(({ scheme }) => `\`${scheme}\``).join(" | ")} |`,
    `|---|${drivers.map(() => "---|").join("")}`,
    ...features.map((feature) => `| \`${feature}\` | ${cells(feature).join(" | ")} |`),
  ].join("\n");
}

const begin = "<!-- what the drivers say of themselves: written by `npm run readme` -->";
const end = "<!-- end of what the drivers say -->";

/** The columns of a table by their headings, each cell as it reads: ← is what stands to its left. */
export function columnsOf(table: string): ReadonlyMap<string, readonly string[]> {
  const rows = table.split("\n").map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
  const [headings = [], , ...body] = rows;
  for (const row of body) for (let at = 2; at < row.length; at++) if (row[at] === "←") row[at] = row[at - 1]!;
  return new Map(headings.slice(1).map((heading, at) => [heading, body.map((row) => `${row[0]}: ${row[at + 1]}`)]));
}

/** The README's table. */
export function tableOf(readme: string): string {
  return readme.slice(readme.indexOf(begin) + begin.length, readme.indexOf(end)).trim();
}

/** The README with its table replaced. */
export function withTable(readme: string, table: string): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md has no place for the table: ${begin} … ${end}`);
  return `${readme.slice(0, from + begin.length)}\n${table}\n${readme.slice(to)}`;
}
