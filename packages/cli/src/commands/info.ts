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
  readonly blobs: readonly string[];
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
  const [mailboxes, logs, spaces, blobs, services, details] = await Promise.all([
    bus.list("mailbox"),
    bus.list("log"),
    bus.list("space"),
    bus.list("blobs"),
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
    blobs: blobs.toSorted(),
    services: [...new Set(services.map(({ address }) => address))].sort(),
    details,
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Nested details as dotted names, each on a line; of a list of records, each record on a line. */
function detailLines(details: Readonly<Record<string, unknown>>, path: string): string[] {
  return Object.entries(details).flatMap(([name, value]) => {
    if (isRecord(value)) return detailLines(value, `${path}${name}.`);
    if (!Array.isArray(value)) return [`${path}${name}  ${String(value)}`];
    if (value.length === 0 || !value.every(isRecord)) return [`${path}${name}  ${valueText(value)}`];
    return value.map((each, index) => {
      const fields = Object.entries(each).map(([field, is]) => `${field} ${valueText(is)}`);
      return `${path}${name}.${index + 1}  ${fields.join("  ")}`;
    });
  });
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
    `blobs      ${names(overview.blobs)}`,
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
