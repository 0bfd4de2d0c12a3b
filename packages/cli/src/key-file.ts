import { readFile, writeFile } from "node:fs/promises";
import type { Auth } from "@quadrant/contract";
import type { KeyPair, Permissions } from "@quadrant/zeromq";
import { failed, misused } from "./failure.ts";

/** Who may read the file of a secret: its owner. */
const ownerOnly = 0o600;

/** Reads a file that an option names; fails in one line that names both. */
async function read(option: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw failed(`${option}: cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function parsed(option: string, path: string, text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // What the parser says may quote the file, and a secret with it.
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw misused(`${option}: ${path} holds no JSON object; \`quadrant help hub\` shows what it has to be`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** The pair that `quadrant hub keygen FILE` has written. */
export async function readKeyPair(option: string, path: string): Promise<KeyPair> {
  const { publicKey, secretKey } = parsed(option, path, await read(option, path));
  if (typeof publicKey !== "string" || typeof secretKey !== "string") {
    throw misused(`${option}: ${path} holds no key pair; \`quadrant hub keygen FILE\` writes one`);
  }
  return { publicKey, secretKey };
}

/** A secret key: in a file of `keygen`, or alone. */
export async function readSecretKey(option: string, path: string): Promise<string> {
  const text = (await read(option, path)).trim();
  return text.length === 40 ? text : (await readKeyPair(option, path)).secretKey;
}

/** The clients that a hub lets in: public keys, each with its permissions. */
export async function readClients(option: string, path: string): Promise<Readonly<Record<string, Permissions>>> {
  // What is in it, the hub checks.
  return parsed(option, path, await read(option, path)) as Readonly<Record<string, Permissions>>;
}

/** Writes a new file that only its owner can read; what is there is not overwritten. */
export async function writeKeyPair(path: string, { publicKey, secretKey }: KeyPair): Promise<void> {
  try {
    const text = `${JSON.stringify({ publicKey, secretKey }, undefined, 2)}\n`;
    await writeFile(path, text, { mode: ownerOnly, flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") throw failed(`${path} exists: a key that is in use is not overwritten; choose another name`);
    throw failed(`cannot write ${path}: ${code ?? String(error)}`);
  }
}

export interface KeyOptions {
  readonly keyFile?: string | undefined;
  readonly serverKey?: string | undefined;
}

/** Which keys a command was given: by option, else by environment. */
export function keysOf(options: KeyOptions, env: Readonly<Record<string, string | undefined>>): KeyOptions {
  return {
    keyFile: options.keyFile ?? (env.QUADRANT_KEY_FILE || undefined),
    serverKey: options.serverKey ?? (env.QUADRANT_SERVER_KEY || undefined),
  };
}

/** With which keys a command connects; undefined for none. */
export async function authOf({ keyFile, serverKey }: KeyOptions): Promise<Auth | undefined> {
  if (keyFile === undefined && serverKey === undefined) return undefined;
  if (keyFile === undefined) throw misused("--server-key without --key-file: give the file of this client's keys, too");
  if (serverKey === undefined) {
    throw misused("--key-file without --server-key: give the public key that the hub prints, too");
  }
  return { curve: { serverKey, ...(await readKeyPair("--key-file", keyFile)) } };
}
