import { BusError, type BusErrorCode } from "@quadrant/contract";
import type { Asked } from "../protocol.ts";

const sizes = { token: 256, name: 32 };

export function malformed(message: string): BusError {
  return new BusError("invalid" satisfies BusErrorCode, message);
}

/** What a page sent, checked. BusError "invalid" where it is nothing of the protocol. */
export function readAsked(text: string): Asked {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw malformed("that is no JSON");
  }
  if (!isRecord(read)) throw malformed("an object is expected");
  const { id, ask, of, stop } = read;
  if (!Number.isSafeInteger(id) || (id as number) < 1) throw malformed("id is a whole number from 1");
  if (stop === true) return { id: id as number, stop };
  if (typeof ask !== "string") throw malformed("ask is the name of what is asked for");
  if (of !== undefined && !isRecord(of)) throw malformed("of is an object");
  return { id: id as number, ask, of };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The members of what was asked, each checked as it is read. */
export class Terms {
  readonly #of: Readonly<Record<string, unknown>>;

  constructor(of: Readonly<Record<string, unknown>> | undefined) {
    this.#of = of ?? {};
  }

  /** One token, as subjects are made of. */
  token(name: string): string {
    const value = this.#of[name];
    if (typeof value === "string" && value.length <= sizes.token && /^[\w-]+$/.test(value)) return value;
    throw malformed(`${name} is a token of letters, digits, - and _`);
  }

  optionalToken(name: string): string | undefined {
    return this.#of[name] === undefined ? undefined : this.token(name);
  }

  /** A person's name: 1 to 32 visible characters. */
  name(): string {
    const value = this.#of.name;
    const name = typeof value === "string" ? value.trim() : "";
    if (name !== "" && name.length <= sizes.name && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) return name;
    throw malformed(`name is 1 to ${sizes.name} visible characters`);
  }

  whole(name: string): number | undefined {
    const value = this.#of[name];
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0))
      return value as number | undefined;
    throw malformed(`${name} is a whole number from 0`);
  }

  any(name: string): unknown {
    return this.#of[name];
  }
}
