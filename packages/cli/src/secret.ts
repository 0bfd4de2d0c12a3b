/**
 * Keeps passwords out of everything that is printed. URLs arrive well-formed, malformed, in the wrong place of the
 * command line, and come back inside other people's error messages: so texts are masked on their way out, twice. By
 * shape, wherever something looks like `scheme://user:password@`; and by content, wherever a password that was seen on
 * the command line or in the environment turns up again, encoded or not.
 */
const mask = "***";

// To the last `@` of the word: a malformed URL may have several, and what stands between may be part of the password.
const userInfo = /([a-z][a-z0-9+.-]{0,30}:)(\/*)([^\s"'<>`]*)@/gi;
const secretParameter = /([?&#](?:password|passwd|pass|token|secret|key|auth|credentials?)=)[^&\s"'<>`]*/gi;

function maskUserInfo(_all: string, scheme: string, slashes: string, info: string): string {
  const colon = info.indexOf(":");
  return colon === -1 ? `${scheme}${slashes}${mask}@` : `${scheme}${slashes}${info.slice(0, colon)}:${mask}@`;
}

function maskShapes(text: string): string {
  return text.replace(userInfo, maskUserInfo).replace(secretParameter, `$1${mask}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The secrets that an argument holds if it is meant as a URL, in every encoding they may come back in. */
function secretsOf(argument: string): string[] {
  const found: string[] = [];
  const at = argument.lastIndexOf("@");
  if (at !== -1) {
    const start = argument.match(/^[^:]*:\/*/)?.[0].length ?? 0;
    const info = argument.slice(start, at);
    const colon = info.indexOf(":");
    found.push(colon === -1 ? info : info.slice(colon + 1));
  }
  for (const [all, name] of argument.matchAll(secretParameter)) found.push(all.slice(name!.length));
  return found.flatMap((secret) => {
    const plain = decoded(secret);
    return [secret, plain, encodeURI(plain.toWellFormed()), encodeURIComponent(plain.toWellFormed())];
  });
}

/** Longer texts are cut: the patterns take quadratic time, and nobody reads on. */
const longest = 4096;

/** Shorter ones would take half of every message with them; their shape has to do. */
const leastLength = 4;

export class Secrets {
  readonly #known: readonly string[];

  /** Arguments and environment values in which passwords may stand. */
  constructor(sources: readonly (string | undefined)[]) {
    const known = new Set(sources.flatMap((source) => (source === undefined ? [] : secretsOf(source))));
    // The longest first: one secret may be part of another.
    this.#known = [...known].filter((secret) => secret.length >= leastLength).sort((a, b) => b.length - a.length);
  }

  /** The text without passwords. */
  mask(text: string): string {
    let masked = text;
    for (const secret of this.#known) masked = masked.replaceAll(secret, mask);
    // Cut between words: half a URL would no longer have the shape of one.
    if (masked.length > longest) masked = masked.slice(0, longest).replace(/\S*$/, "…");
    return maskShapes(masked);
  }
}
