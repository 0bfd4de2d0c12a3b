import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { BusError } from "@quadrant/contract";
import { curveKeyPair } from "zeromq";

/** Keys of CURVE are 32 raw bytes of X25519; as text they are 40 characters of Z85 (ZeroMQ's RFC 32). */
export const keyBytes = 32;
const keyCharacters = 40;
const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
/** What comes before the raw key in PKCS #8, as RFC 8410 has it. */
const privatePrefix = Buffer.from("302e020100300506032b656e04220420", "hex");

export interface KeyPair {
  /** Z85. */
  readonly publicKey: string;
  /** Z85; a secret. */
  readonly secretKey: string;
}

/** A new pair of keys, for a hub or a client. */
export function generateKeyPair(): KeyPair {
  return curveKeyPair();
}

function fromZ85(text: string): Buffer | undefined {
  if (text.length !== keyCharacters) return undefined;
  const bytes = Buffer.alloc(keyBytes);
  for (let group = 0; group < keyCharacters / 5; group++) {
    let value = 0;
    for (let i = 0; i < 5; i++) {
      const digit = alphabet.indexOf(text[group * 5 + i]!);
      if (digit === -1) return undefined;
      value = value * 85 + digit;
    }
    if (value > 0xffff_ffff) return undefined;
    bytes.writeUInt32BE(value, group * 4);
  }
  return bytes;
}

export function toZ85(bytes: Uint8Array): string {
  const view = Buffer.from(bytes);
  let text = "";
  for (let at = 0; at < view.length; at += 4) {
    let value = view.readUInt32BE(at);
    let group = "";
    for (let i = 0; i < 5; i++) {
      group = alphabet[value % 85]! + group;
      value = Math.floor(value / 85);
    }
    text += group;
  }
  return text;
}

/** The raw bytes of a key; throws "invalid", without the key in the message. `what` names where it was given. */
export function rawKey(what: string, text: unknown): Buffer {
  const bytes = typeof text === "string" ? fromZ85(text) : undefined;
  if (bytes === undefined) {
    const message = `${what} is no CURVE key: give the 40 characters that \`quadrant hub keygen\` prints`;
    throw new BusError("invalid", message, { driver: "zeromq" });
  }
  return bytes;
}

function keyObject(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([privatePrefix, secret]), format: "der", type: "pkcs8" });
}

/** The public key that belongs to a secret one, both Z85; throws "invalid". */
export function publicKeyOf(what: string, secretKey: unknown): string {
  const spki = createPublicKey(keyObject(rawKey(what, secretKey))).export({ format: "der", type: "spki" });
  return toZ85(spki.subarray(-keyBytes));
}
