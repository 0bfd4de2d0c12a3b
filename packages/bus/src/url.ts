/** The URL that `connect` takes: its scheme, its secrets, and how it may be shown. */
import { pathToFileURL } from "node:url";
import { BusError } from "@quadrant/contract";

const mask = "***";
const schemePattern = /^([a-z][a-z0-9+.-]*:)/i;
/** Query parameters whose values are nobody's business. */
const secretParameter = /pass|secret|token|seed|key|cred/i;

function invalid(why: string, cause?: unknown): BusError {
  return new BusError("invalid", `${why}; give a URL such as memory: or zmq://127.0.0.1:7227`, { cause });
}

/** The scheme of what was given to `connect`, in lower case, with its colon. Throws "invalid". */
export function schemeOf(url: unknown): string {
  if (url instanceof URL) return url.protocol;
  if (typeof url !== "string") throw invalid(`connect takes a URL, not ${url === null ? "null" : typeof url}`);
  const scheme = schemePattern.exec(url)?.[1];
  // The text itself is not shown: whatever it is, it may hold a password.
  if (scheme === undefined) throw invalid(url === "" ? "the URL is empty" : "this is no URL: it begins with no scheme");
  return scheme.toLowerCase();
}

/** A `file:` URL whose path is not absolute: what standard URLs cannot say. */
const relativeFile = /^file:(?!\/)(.*)$/is;

/** Parses what was given to `connect`; a copy. `file:DIR` is relative to the working directory. Throws "invalid". */
export function parseUrl(url: string | URL): URL {
  const text = String(url);
  const relative = typeof url === "string" ? relativeFile.exec(url)?.[1] : undefined;
  if (relative !== undefined && /^([?#]|$)/.test(relative)) throw invalid("file: names no folder");
  try {
    if (relative !== undefined) return new URL(`./${relative}`, pathToFileURL(`${process.cwd()}/`));
    return new URL(text);
  } catch {
    // The cause of a URL's TypeError holds the whole text, so it is not passed on.
    throw invalid(`${maskText(text)} is no URL`);
  }
}

/** Scheme, user and password, and the servers, which a URL may list. */
const authority = /^([a-z][a-z0-9+.-]*:\/\/)((?:[^/?#,]*@)?)([^/?#@]*)/i;

/**
 * The servers of `scheme://HOST:PORT,HOST:PORT/…`, and the URL with the first alone, which is all that a standard URL can
 * hold. Each may repeat the scheme, user and password of the first. `hosts` has all, in order; one for every other URL
 * with a host, none for a URL without. Throws "invalid".
 */
export function splitHosts(url: string | URL): { readonly url: string | URL; readonly hosts: readonly string[] } {
  const text = String(url);
  const [, scheme, user] = authority.exec(text) ?? [];
  if (scheme === undefined || user === undefined) return { url, hosts: [] };
  const before = `${scheme}${user}`;
  const plain = text.replaceAll(`,${before}`, ",").replaceAll(`,${scheme}`, ",");
  const listed = authority.exec(plain)?.[3] ?? "";
  if (listed === "") return { url, hosts: [] };
  const hosts = listed.split(",");
  if (hosts.includes("")) throw invalid(`${maskText(text)} lists servers and leaves one out`);
  const rest = plain.slice(before.length + listed.length);
  if (rest.startsWith("@") || hosts.some((host) => host.endsWith(":"))) {
    throw invalid(`${maskText(text)}: the servers of one URL share scheme, user and password, given with the first`);
  }
  return hosts.length === 1 ? { url, hosts } : { url: `${before}${hosts[0]}${rest}`, hosts };
}

/** A text that may be a URL, without what may be user and password. */
export function maskText(text: string): string {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return JSON.stringify(shown.replace(/\/\/.*@/s, `//${mask}@`).replace(/\?.*/s, "?…"));
}

/** The URL with its password, and whatever else in it may be a secret, masked. A user without a password may be a token. */
export function maskUrl(url: string): string {
  if (!URL.canParse(url)) return maskText(url);
  const parsed = new URL(url);
  let shown = parsed.href;
  if (parsed.password !== "") {
    shown = shown.replace(`:${parsed.password}@`, `:${mask}@`);
  } else if (parsed.username !== "") {
    shown = shown.replace(`//${parsed.username}@`, `//${mask}@`);
  }
  const at = shown.indexOf("?");
  if (at === -1) return shown;
  const hash = shown.indexOf("#", at);
  const query = shown.slice(at + 1, hash === -1 ? undefined : hash).split("&");
  const masked = query.map((pair) =>
    secretParameter.test(pair.split("=", 1)[0]!) ? pair.replace(/=.*/, `=${mask}`) : pair,
  );
  return `${shown.slice(0, at)}?${masked.join("&")}${hash === -1 ? "" : shown.slice(hash)}`;
}

/** What in a URL may appear in no message: the password, a user without one, secret parameters; as written and as meant. */
export function secretsOf(url: URL): string[] {
  const found: string[] = [];
  const add = (text: string): void => {
    if (text === "") return;
    found.push(text);
    try {
      found.push(decodeURIComponent(text));
    } catch {
      // Not percent-encoded after all: as written is as meant.
    }
  };
  add(url.password);
  if (url.password === "") add(url.username);
  for (const [name, value] of url.searchParams) if (secretParameter.test(name)) add(value);
  return found;
}
