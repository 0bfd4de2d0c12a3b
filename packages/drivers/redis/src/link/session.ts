import { BusError } from "@quadrant/contract";
import type { Location, Server } from "../location.ts";
import { listOf, numberOf, type Reply, ReplyError, textOf } from "../resp/reply-reader.ts";
import type { Library } from "../scripts/script.ts";
import { type About, lookAt } from "./about.ts";
import { dial, greet } from "./dialing.ts";
import { slotOf } from "./slots.ts";
import type { Wire } from "./wire.ts";

/** What everything that belongs to no one mailbox, log or space is kept under: topics, calls, the names there are. */
export const controlKey = "q:{q}";
const controlSlot = slotOf(controlKey);

export interface SessionTerms {
  readonly location: Location;
  readonly name: string;
  readonly inbox: string;
  readonly libraries: readonly Library[];
}

/** A connection by the name that its server gave it: so that another can end it. */
export interface Zombie {
  readonly server: string;
  /** Of the server's process: another one gives the same ids to others. */
  readonly runId: string;
  readonly id: number;
}

/** One set of connections to a server, or to the masters of a cluster: it is lost as a whole. */
export class Session {
  readonly about: About;
  /** Where messages come. */
  readonly push: Wire;
  readonly #terms: SessionTerms;
  readonly #wires: Map<string, Wire>;
  /** By slot; undefined for a single server. */
  readonly #slots: (string | undefined)[] | undefined;
  readonly #main: Wire;
  readonly zombies: Zombie[];
  #lost = false;
  #onLost: (() => void) | undefined;

  constructor(terms: SessionTerms, parts: SessionParts) {
    this.#terms = terms;
    this.about = parts.about;
    this.push = parts.push;
    this.#main = parts.main;
    this.#wires = parts.wires;
    this.#slots = parts.slots;
    this.zombies = parts.zombies;
    for (const wire of [...this.#wires.values(), this.push]) wire.onLost(() => this.close());
  }

  get isLost(): boolean {
    return this.#lost;
  }

  /** Of the process that a server is in this session; undefined where it has no part in it. */
  runIdOf(server: string): string | undefined {
    return this.zombies.find((each) => each.server === server)?.runId;
  }

  get wires(): readonly Wire[] {
    return [...this.#wires.values(), this.push];
  }

  get pendingBytes(): number {
    return this.#main.pendingBytes;
  }

  onLost(listener: () => void): void {
    this.#onLost = listener;
    if (this.#lost) listener();
  }

  /** The connection to who has the slot; undefined where nobody is known to. */
  wireFor(slot: number): Wire | undefined {
    if (this.#slots === undefined) return this.#main;
    const server = this.#slots[slot];
    return server === undefined ? undefined : this.#wires.get(server);
  }

  /** A node said that another has the slot. Resolves with the connection to that one; loses the session where that is none. */
  async moved(slot: number, server: string, forGood: boolean, signal: AbortSignal): Promise<Wire | undefined> {
    if (this.#slots === undefined || (forGood && slot === controlSlot)) {
      // Messages come from the node that has it: begin anew there.
      this.close();
      return undefined;
    }
    let wire = this.#wires.get(server);
    if (wire === undefined) {
      const at = server.lastIndexOf(":");
      const found = { host: server.slice(0, at), port: Number(server.slice(at + 1)) };
      const opened = await openCommands(this.#terms, found, 2_000, signal);
      wire = this.#wires.get(server) ?? opened.wire;
      this.#wires.set(server, wire);
      this.zombies.push(opened.zombie);
      wire.onLost(() => this.close());
    }
    if (forGood) this.#slots[slot] = server;
    return wire;
  }

  close(): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const wire of this.wires) wire.close();
    this.#onLost?.();
  }

  /** Lets what was written leave first. */
  async end(ms: number): Promise<void> {
    await Promise.all(this.wires.map((wire) => wire.end(ms)));
    this.close();
  }
}

interface SessionParts {
  readonly about: About;
  readonly main: Wire;
  readonly push: Wire;
  readonly wires: Map<string, Wire>;
  readonly slots: (string | undefined)[] | undefined;
  readonly zombies: Zombie[];
}

interface Opened {
  readonly wire: Wire;
  readonly zombie: Zombie;
}

/** Returns what ends this connection from another. */
async function introduce(wire: Wire, { location, name }: SessionTerms): Promise<Zombie> {
  const { user, password, database } = location;
  if (password !== undefined) await wire.ask(user === undefined ? ["AUTH", password] : ["AUTH", user, password]);
  if (database !== 0) await wire.ask(["SELECT", database]);
  const quietly = (error: unknown): null => {
    if (error instanceof ReplyError && error.code !== "NOAUTH") return null;
    throw error;
  };
  // A name with blanks is refused; a user may be forbidden to look at connections.
  await wire.ask(["CLIENT", "SETNAME", name.replace(/[^\x21-\x7e]/g, "_")]).catch(quietly);
  const [id, info] = await Promise.all([
    wire.ask(["CLIENT", "ID"]).catch(quietly),
    wire.ask(["INFO", "server"]).catch(quietly),
  ]);
  return { server: wire.server, id: numberOf(id), runId: /^run_id:(\w+)/m.exec(textOf(info))?.[1] ?? "" };
}

/** A node that has just begun answers before the cluster is one again. */
function assertServes(info: string, server: string): void {
  if (info.includes("cluster_state:ok")) return;
  throw new BusError("unavailable", `${server}: the cluster is not yet, or no longer, whole`, { driver: "redis" });
}

/** Those that the server does not have yet. */
async function loadLibraries(wire: Wire, libraries: readonly Library[]): Promise<void> {
  await Promise.all(libraries.map((library) => loadLibrary(wire, library)));
}

export async function loadLibrary(wire: Wire, library: Library): Promise<void> {
  try {
    await wire.ask(["FUNCTION", "LOAD", library.source]);
  } catch (error) {
    if (!(error instanceof ReplyError && error.message.includes("already exists"))) throw error;
  }
}

async function openCommands(
  terms: SessionTerms,
  server: Server,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Opened> {
  const end = performance.now() + timeoutMs;
  const wire = await dial(server, terms.location.tls, timeoutMs, signal);
  return greet(wire, end - performance.now(), signal, async () => {
    const zombie = await introduce(wire, terms);
    if (terms.location.kind === "cluster") assertServes(textOf(await wire.ask(["CLUSTER", "INFO"])), wire.server);
    await loadLibraries(wire, terms.libraries);
    return { wire, zombie };
  });
}

async function openPush(terms: SessionTerms, server: Server, timeoutMs: number, signal: AbortSignal): Promise<Opened> {
  const end = performance.now() + timeoutMs;
  const wire = await dial(server, terms.location.tls, timeoutMs, signal);
  return greet(wire, end - performance.now(), signal, async () => {
    const zombie = await introduce(wire, terms);
    await wire.ask(["SUBSCRIBE", terms.inbox]);
    return { wire, zombie };
  });
}

/** Whom the sentinels call the master. */
async function masterOf(location: Location, timeoutMs: number, signal: AbortSignal): Promise<Server> {
  let last: unknown = new BusError("unavailable", "no sentinel answers", { driver: "redis" });
  for (const sentinel of location.servers) {
    try {
      const wire = await dial(sentinel, location.tls, timeoutMs / location.servers.length, signal);
      const found = await greet(wire, timeoutMs, signal, async () => {
        if (location.sentinelPassword !== undefined) await wire.ask(["AUTH", location.sentinelPassword]);
        return listOf(await wire.ask(["SENTINEL", "get-master-addr-by-name", location.master])).map(textOf);
      });
      wire.close();
      if (found.length === 2) return { host: found[0]!, port: Number(found[1]) };
      last = new BusError("unavailable", `the sentinels know no master ${location.master}`, { driver: "redis" });
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

/** Which node has which slots; undefined while some slots have nobody. */
function slotsOf(reply: Reply, asked: Server): (string | undefined)[] | undefined {
  const slots = new Array<string | undefined>(16_384).fill(undefined);
  for (const range of listOf(reply)) {
    const [from, to, node] = listOf(range);
    const [host, port] = listOf(node);
    const server = `${textOf(host) || asked.host}:${numberOf(port)}`;
    slots.fill(server, numberOf(from), numberOf(to) + 1);
  }
  return slots.includes(undefined) ? undefined : slots;
}

async function clusterOf(terms: SessionTerms, timeoutMs: number, signal: AbortSignal, known: readonly Server[]) {
  let last: unknown;
  for (const server of [...known, ...terms.location.servers]) {
    try {
      const wire = await dial(server, terms.location.tls, Math.min(timeoutMs, 1_000), signal);
      const slots = await greet(wire, timeoutMs, signal, async () => {
        await introduce(wire, terms);
        return slotsOf(await wire.ask(["CLUSTER", "SLOTS"]), server);
      });
      wire.close();
      if (slots !== undefined) return slots;
      last = new BusError("unavailable", "the cluster has slots without a node", { driver: "redis" });
    } catch (error) {
      last = error;
      if (error instanceof BusError && error.code === "denied") throw error;
    }
  }
  throw last;
}

function serverNamed(name: string): Server {
  const at = name.lastIndexOf(":");
  return { host: name.slice(0, at), port: Number(name.slice(at + 1)) };
}

function assertReady(about: About, server: Server): void {
  if (!about.replica && !about.loading) return;
  const why = about.loading ? "is loading its data" : "is a replica";
  throw new BusError("unavailable", `${server.host}:${server.port} ${why}`, { driver: "redis" });
}

/** One attempt. Rejects with "unavailable", "denied" or "unsupported". `known`: nodes that a cluster had before. */
export async function openSession(
  terms: SessionTerms,
  timeoutMs: number,
  signal: AbortSignal,
  known: readonly Server[] = [],
): Promise<Session> {
  const { location } = terms;
  const end = performance.now() + timeoutMs;
  const slots = location.kind === "cluster" ? await clusterOf(terms, timeoutMs, signal, known) : undefined;
  const server =
    location.kind === "sentinel"
      ? await masterOf(location, timeoutMs, signal)
      : slots === undefined
        ? location.servers[0]!
        : serverNamed(slots[controlSlot]!);
  const others = slots === undefined ? [] : [...new Set(slots)].map((name) => serverNamed(name!));
  const servers = [server, ...others.filter((each) => each.port !== server.port || each.host !== server.host)];
  const left = Math.max(1, end - performance.now());
  const opened = await Promise.allSettled([
    openPush(terms, server, left, signal),
    ...servers.map((each) => openCommands(terms, each, left, signal)),
  ]);
  const failed = opened.find((outcome) => outcome.status === "rejected");
  const wires = opened.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  try {
    if (failed !== undefined) throw failed.reason;
    const [push, main] = wires;
    const about = await greet(main!.wire, end - performance.now(), signal, () => lookAt(main!.wire));
    assertReady(about, server);
    return new Session(terms, {
      about,
      main: main!.wire,
      push: push!.wire,
      wires: new Map(wires.slice(1).map(({ wire }) => [wire.server, wire])),
      slots,
      zombies: wires.map(({ zombie }) => zombie),
    });
  } catch (error) {
    for (const { wire } of wires) wire.close();
    throw error;
  }
}
