import { blobLibrary } from "./blobs.ts";
import { callLibrary } from "./calls.ts";
import { durableLibrary } from "./durables.ts";
import { nameLibrary } from "./names.ts";
import { mailboxLibrary } from "./queues.ts";
import type { Library } from "./script.ts";
import { leaseLibrary } from "./space-leases.ts";
import { topicLibrary } from "./topics.ts";

/** Every library, to be loaded by a server before one of its functions is called. */
export const allLibraries: readonly Library[] = [
  nameLibrary,
  mailboxLibrary,
  durableLibrary,
  leaseLibrary,
  topicLibrary,
  callLibrary,
  blobLibrary,
];
