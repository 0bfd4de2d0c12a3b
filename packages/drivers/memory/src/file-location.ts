import { fileURLToPath } from "node:url";
import { BusError } from "@quadrant/contract";
import type { SqliteSync } from "@quadrant/engine";

const driver = "file";

export interface FileLocation {
  /** Absolute. */
  readonly folder: string;
  readonly sync: SqliteSync;
}

function readSync(value: string): SqliteSync {
  if (value === "full" || value === "normal" || value === "off") return value;
  throw new BusError("invalid", `sync=${value}: it is full (the default), normal or off`, { driver });
}

/** Reads a `file:` URL: the folder and how it is kept. Throws "invalid" and "unsupported". */
export function readFileLocation(url: URL): FileLocation {
  if (url.username !== "" || url.password !== "") {
    throw new BusError("unsupported", "file: takes no user and password: the file system's rights decide", { driver });
  }
  if (url.hash !== "") throw new BusError("invalid", "a file: URL has no fragment (#…); write # as %23", { driver });
  let sync: SqliteSync = "full";
  for (const [name, value] of url.searchParams) {
    if (name === "sync") sync = readSync(value);
    else if (name !== "require") {
      throw new BusError("invalid", `file: knows no parameter "${name}": there are sync and require`, { driver });
    } else if (value !== "durable") {
      throw new BusError("invalid", `require=${value}: the one thing to require is "durable"`, { driver });
    }
  }
  try {
    return { folder: fileURLToPath(`file://${url.host}${url.pathname}`), sync };
  } catch (cause) {
    throw new BusError("invalid", "file: names a folder of this machine, such as file:./data or file:///var/lib/jobs", {
      cause,
      driver,
    });
  }
}
