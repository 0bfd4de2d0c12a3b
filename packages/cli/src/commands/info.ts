import type { Bus, Support } from "@quadrant/contract";
import type { Command } from "commander";
import type { Output } from "../output.ts";
import type { OpenSession } from "../session.ts";
import { valueText } from "../value-text.ts";

interface Overview {
  readonly url: string;
  readonly driver: string;
  readonly support: Readonly<Record<"native" | "emulated" | "refused", number>>;
  readonly mailboxes: readonly string[];
  readonly logs: readonly string[];
  readonly spaces: readonly string[];
  readonly services: readonly string[];
  /** What the driver tells of itself and its broker: counters, versions, clients. */
  readonly details: Readonly<Record<string, unknown>>;
}

function countSupport(support: Support): Overview["support"] {
  const counts = { native: 0, emulated: 0, refused: 0 };
  for (const { how } of Object.values(support)) counts[how]++;
  return counts;
}

async function overviewOf(bus: Bus, output: Output): Promise<Overview> {
  const { describe } = await import("@quadrant/bus");
  const [mailboxes, logs, spaces, services, details] = await Promise.all([
    bus.list("mailbox"),
    bus.list("log"),
    bus.list("space"),
    bus.services(),
    describe(bus),
  ]);
  return {
    url: output.mask(bus.url),
    driver: bus.driver,
    support: countSupport(bus.support),
    mailboxes: mailboxes.toSorted(),
    logs: logs.toSorted(),
    spaces: spaces.toSorted(),
    services: [...new Set(services.map(({ address }) => address))].sort(),
    details,
  };
}

/** Nested details as dotted names, each on a line. */
function detailLines(details: Readonly<Record<string, unknown>>, path: string): string[] {
  return Object.entries(details).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? detailLines(value as Readonly<Record<string, unknown>>, `${path}${name}.`)
      : [`${path}${name}  ${Array.isArray(value) ? valueText(value) : String(value)}`],
  );
}

function overviewText(overview: Overview): string {
  const { native, emulated, refused } = overview.support;
  const names = (list: readonly string[]): string => (list.length === 0 ? "-" : list.join(", "));
  return [
    `url        ${overview.url}`,
    `driver     ${overview.driver}`,
    `support    ${native} native, ${emulated} emulated, ${refused} refused`,
    `mailboxes  ${names(overview.mailboxes)}`,
    `logs       ${names(overview.logs)}`,
    `spaces     ${names(overview.spaces)}`,
    `services   ${names(overview.services)}`,
    ...detailLines(overview.details, ""),
  ].join("\n");
}

export function configure(command: Command, open: OpenSession): void {
  command.action(async () => {
    const session = open(command);
    await session.withBus(async (bus) => {
      const overview = await overviewOf(bus, session.output);
      await session.output.datum(overview, () => overviewText(overview));
    });
  });
}
