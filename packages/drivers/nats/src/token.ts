import { createHash } from "node:crypto";

/** Longer ones would not fit into a file's name, nor several into a subject. */
const maxLength = 100;
const escapedByte = /=([0-9A-F]{2})/g;

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 32);
}

/**
 * A name of any characters as one token of a subject, and as the name of a stream or consumer: what is no ASCII letter, digit,
 * `-` or `_` becomes `=HH`, and what gets too long becomes `==` and a digest.
 */
export function tokenOf(name: string): string {
  let token = "";
  for (const byte of Buffer.from(name)) {
    const character = String.fromCharCode(byte);
    token += /[A-Za-z0-9_-]/.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return token.length <= maxLength ? token : `==${digest(name)}`;
}

/** The name behind a token; undefined where only a digest is left of it. */
export function nameOf(token: string): string | undefined {
  if (token.startsWith("==")) return undefined;
  const latin = token.replace(escapedByte, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(latin, "latin1").toString("utf8");
}
