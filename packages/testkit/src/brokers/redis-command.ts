import { exchange, type TlsAccess } from "./exchange.ts";

/** Where a Redis server is, and what it asks for. */
export interface RedisAccess {
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  readonly port: number;
  readonly tls?: TlsAccess | undefined;
  readonly login?: { readonly user: string; readonly password: string } | undefined;
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

/** The first reply of what was heard, and what follows it; undefined while it is incomplete. Throws what an error reply says. */
function firstReply(heard: string): { readonly reply: string; readonly rest: string } | undefined {
  const end = heard.indexOf("\r\n");
  if (end === -1) return undefined;
  const line = heard.slice(1, end);
  switch (heard[0]) {
    case "-":
      throw new Error(line);
    case "$": {
      const length = Number(line);
      if (heard.length < end + 2 + length + 2) return undefined;
      return { reply: heard.slice(end + 2, end + 2 + length), rest: heard.slice(end + 4 + length) };
    }
    default:
      return { reply: line, rest: heard.slice(end + 2) };
  }
}

/** One command over a connection of its own. Resolves with its reply, which must be text or a number. */
export function askRedis(access: RedisAccess, ...command: readonly string[]): Promise<string> {
  const { host, port, tls, login } = access;
  const say = login === undefined ? "" : encoded(["AUTH", login.user, login.password]);
  return exchange({ host, port, tls, say: say + encoded(command) }, (heard) => {
    const first = firstReply(heard);
    return login === undefined || first === undefined ? first?.reply : firstReply(first.rest)?.reply;
  });
}
