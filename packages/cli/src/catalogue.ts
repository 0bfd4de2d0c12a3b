import type { Configure } from "./session.ts";

export interface CatalogueEntry {
  readonly name: string;
  readonly summary: string;
  /** Only the command that is run is loaded: starting fast is most of what a short command does. */
  load(): Promise<{ readonly configure: Configure }>;
}

/** Every command, in the order of the help. A new one is a line here and a file in commands/. */
export const catalogue: readonly CatalogueEntry[] = [
  { name: "hub", summary: "run a hub, the broker of zmq: URLs", load: () => import("./commands/hub.ts") },
  { name: "pub", summary: "publish a message, or each line of stdin", load: () => import("./commands/pub.ts") },
  { name: "sub", summary: "print what is published", load: () => import("./commands/sub.ts") },
  { name: "log", summary: "append to, read and inspect logs", load: () => import("./commands/log.ts") },
  { name: "send", summary: "send a letter, or each line of stdin", load: () => import("./commands/send.ts") },
  { name: "receive", summary: "receive letters and acknowledge them", load: () => import("./commands/receive.ts") },
  { name: "mailbox", summary: "inspect and mend mailboxes", load: () => import("./commands/mailbox.ts") },
  { name: "out", summary: "put tuples into a space", load: () => import("./commands/out.ts") },
  { name: "in", summary: "take tuples out of a space", load: () => import("./commands/in.ts") },
  { name: "rd", summary: "read tuples, leaving them there", load: () => import("./commands/rd.ts") },
  { name: "watch", summary: "print what happens to tuples of a space", load: () => import("./commands/watch.ts") },
  { name: "blobs", summary: "put, get, list and delete blobs", load: () => import("./commands/blobs.ts") },
  { name: "call", summary: "call a method and print what it returns", load: () => import("./commands/call.ts") },
  { name: "services", summary: "list who serves what", load: () => import("./commands/services.ts") },
  {
    name: "info",
    summary: "what is there: mailboxes, logs, spaces, blob stores, services",
    load: () => import("./commands/info.ts"),
  },
  {
    name: "mapreduce",
    summary: "run MapReduce jobs, and the roles that do them",
    load: () => import("./commands/mapreduce.ts"),
  },
  { name: "lab", summary: "compare the coupling models by experiment", load: () => import("./commands/lab.ts") },
  { name: "up", summary: "the games and the page to play them on", load: () => import("./commands/up.ts") },
  { name: "game", summary: "serve, play, watch, list and replay games", load: () => import("./commands/game.ts") },
  { name: "start", summary: "the main job: a hub, workers, a word count", load: () => import("./commands/start.ts") },
  { name: "check", summary: "check recorded histories for broken promises", load: () => import("./commands/check.ts") },
  { name: "doctor", summary: "check a bus: support, versions, latency", load: () => import("./commands/doctor.ts") },
];
