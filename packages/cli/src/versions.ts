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

/** Names and versions of what takes part. */
export async function versionsOf(bus: Pick<Bus, "driver">): Promise<readonly (readonly [string, string])[]> {
  const library = clientLibraries[bus.driver];
  const libraryVersion = library === undefined ? undefined : versionOf(library);
  return [
    ["quadrant", version()],
    ["node", process.version],
    ["driver", bus.driver],
    ...(library === undefined || libraryVersion === undefined ? [] : [[library, libraryVersion] as const]),
  ];
}
