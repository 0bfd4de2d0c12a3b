/** The README's table of what each driver does, made from what the drivers say of themselves. */
import { connect, type Support } from "@quadrant/bus";
import { startHub } from "@quadrant/zeromq";

export interface DriverSupport {
  /** The URL's scheme, as the table's heading. */
  readonly scheme: string;
  readonly support: Support;
}

/** Opens every driver once. What needs a server starts one on a free port. */
export async function askDrivers(): Promise<readonly DriverSupport[]> {
  const hub = await startHub({ url: "zmq://127.0.0.1:0" });
  try {
    return [await ask("memory:", "memory:"), await ask("zmq:", hub.url)];
  } finally {
    await hub[Symbol.asyncDispose]();
  }
}

async function ask(scheme: string, url: string): Promise<DriverSupport> {
  const bus = await connect(url, { name: "support" });
  try {
    return { scheme, support: bus.support };
  } finally {
    await bus.close();
  }
}

/** A row for each feature, a column for each driver, with the driver's own reason in each cell. */
export function driverTable(drivers: readonly DriverSupport[]): string {
  const cell = (feature: string, { support }: DriverSupport): string => {
    const said = support[feature];
    if (said === undefined) return "not said";
    const how = said.how === "native" ? "native" : `**${said.how}**`;
    return said.note === "" ? how : `${how}: ${said.note.replaceAll("|", "\\|")}`;
  };
  const features = [...new Set(drivers.flatMap(({ support }) => Object.keys(support)))];
  return [
    `| | ${drivers.map(({ scheme }) => `\`${scheme}\``).join(" | ")} |`,
    `|---|${drivers.map(() => "---|").join("")}`,
    ...features.map((feature) => `| \`${feature}\` | ${drivers.map((each) => cell(feature, each)).join(" | ")} |`),
  ].join("\n");
}

const begin = "<!-- what the drivers say of themselves: written by `npm run readme` -->";
const end = "<!-- end of what the drivers say -->";

/** The README with its table replaced. */
export function withTable(readme: string, table: string): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md has no place for the table: ${begin} … ${end}`);
  return `${readme.slice(0, from + begin.length)}\n${table}\n${readme.slice(to)}`;
}
