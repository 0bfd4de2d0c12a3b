import { createHash, timingSafeEqual } from "node:crypto";

/** Compared as digests, so that neither a difference's place nor the length shows in the time taken. */
function same(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/**
 * Who is let in: who speaks to the server by its own name (a page elsewhere that had its name lead here does not), from a
 * page of its own, and knows the token.
 */
export class Access {
  readonly #token: string;
  readonly #hosts: ReadonlySet<string>;
  /** Cookies know no ports: each server on a machine has its own name for it. */
  readonly #cookie: string;

  constructor(token: string, names: readonly string[], port: number) {
    this.#token = token;
    this.#hosts = new Set(names.map((name) => `${name}:${port}`));
    this.#cookie = `quadrant-${port}`;
  }

  knowsHost(host: string | undefined): boolean {
    return host !== undefined && this.#hosts.has(host.toLowerCase());
  }

  /** A browser names the origin of whoever opens a WebSocket, or posts something. */
  knowsOrigin(origin: string | undefined, host: string | undefined): boolean {
    return origin !== undefined && host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`;
  }

  isToken(given: string | null | undefined): boolean {
    return typeof given === "string" && same(given, this.#token);
  }

  /** By the cookie that a first visit with the token sets. */
  isLetIn(cookies: string | undefined): boolean {
    const pairs = (cookies ?? "").split(";").map((pair) => pair.trim());
    const own = pairs.find((pair) => pair.startsWith(`${this.#cookie}=`));
    return this.isToken(own?.slice(this.#cookie.length + 1));
  }

  get cookie(): string {
    return `${this.#cookie}=${this.#token}; Path=/; HttpOnly; SameSite=Strict`;
  }
}
