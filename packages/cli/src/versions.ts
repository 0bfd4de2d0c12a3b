import { createRequire } from "node:module";
import type { Bus } from "@quadrant/contract";
import { version } from "./version.ts";

/** The version of an installed package; undefined where it is not installed, or hides its manifest. */
function versionOf(name: string): string | undefined {
  try {
    const manifest: unknown = createRequire(import.meta.url)(`${name}/package.json`);
    return (manifest as { readonly version?: string }).version;
  } catch {
    return undefined;
  }
}

/** The library that a driver speaks to its broker with. */
const clientLibraries: Readonly<Record<string, string>> = { zeromq: "zeromq" };

type Row = readonly [name: string, is: string];

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** Of what the driver tells of itself and its broker, what says a version. */
function brokerRows(description: Readonly<Record<string, unknown>>): Row[] {
  const hub = recordOf(description.hub);
  const rows: Row[] = [];
  for (const name of ["version", "protocol", "node"]) {
    const value = hub[name];
    if (typeof value === "string" || typeof value === "number") rows.push([`hub ${name}`, String(value)]);
  }
  return rows;
}

/** Names and versions of what takes part. */
export function versionsOf(bus: Pick<Bus, "driver">, description: Readonly<Record<string, unknown>>): readonly Row[] {
  const library = clientLibraries[bus.driver];
  const libraryVersion = library === undefined ? undefined : versionOf(library);
  return [
    ["quadrant", version()],
    ["node", process.version],
    ["driver", bus.driver],
    ...(library === undefined || libraryVersion === undefined ? [] : [[library, libraryVersion] as const]),
    ...brokerRows(description),
  ];
}
