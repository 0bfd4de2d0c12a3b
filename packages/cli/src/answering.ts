/** Who listens at an address, told by what it says first: a bus is often looked for at the wrong broker's port. */
import { once } from "node:events";
import { connect as dial, type Socket } from "node:net";

export type Answering = "NATS" | "Redis" | "ZeroMQ" | "HTTP" | "something else" | "nobody";

/** How long to listen before something is said, and for the answer. */
const patienceMs = 400;
const mostBytes = 1_024;

async function heard(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), patienceMs);
  const take = (part: Buffer): void => {
    parts.push(part);
    enough.abort();
  };
  socket.on("data", take);
  try {
    await Promise.race([once(socket, "close", { signal: enough.signal }), once(enough.signal, "abort")]);
  } catch {
    // Something was said, or nothing for long enough.
  } finally {
    clearTimeout(timer);
    socket.off("data", take);
  }
  return Buffer.concat(parts).subarray(0, mostBytes);
}

/** What its first bytes say. ZeroMQ's greeting begins with FF (ZMTP 3.1, 23/ZMTP), NATS sends INFO, Redis answers PING. */
export function speakerOf(first: Buffer): Answering | undefined {
  if (first.length === 0) return undefined;
  const text = first.toString("latin1");
  if (first[0] === 0xff) return "ZeroMQ";
  if (text.startsWith("INFO {")) return "NATS";
  if (/^(\+PONG|-NOAUTH|-DENIED|-ERR|-LOADING|-MISCONF)/.test(text)) return "Redis";
  if (text.startsWith("HTTP/")) return "HTTP";
  return "something else";
}

async function listenAndAsk(host: string, port: number): Promise<Answering> {
  const socket = dial({ host, port });
  socket.on("error", () => undefined);
  try {
    const connected = AbortSignal.timeout(patienceMs * 5);
    await once(socket, "connect", { signal: connected });
  } catch {
    socket.destroy();
    return "nobody";
  }
  try {
    const greeted = speakerOf(await heard(socket));
    if (greeted !== undefined) return greeted;
    socket.write("PING\r\n");
    return speakerOf(await heard(socket)) ?? "something else";
  } finally {
    socket.destroy();
  }
}

/** Who answers where the URL points to, by plain TCP; undefined where it points to no host. */
export async function answeringAt(url: string): Promise<Answering | undefined> {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port, protocol } = new URL(url);
  const usual: Readonly<Record<string, number>> = { "nats:": 4222, "tls:": 4222, "redis:": 6379, "rediss:": 6379 };
  const number = port === "" ? usual[protocol] : Number(port);
  if (hostname === "" || number === undefined) return undefined;
  return listenAndAsk(hostname.replace(/^\[|\]$/g, ""), number);
}
