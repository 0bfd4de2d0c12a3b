import type { Seat } from "../game.ts";
import { type SeatHolder, sha256 } from "./entry.ts";

export const protocolVersion = 1;
/** Of a command's body as JSON text. */
export const longestCommand = 4_096;

interface Common {
  readonly v: 1;
  /** Chosen by the sender; the same again is answered again, and happens once. */
  readonly id: string;
  readonly replyTo?: string | undefined;
  readonly token?: string | undefined;
  /** Where it is given it must be the token's own. */
  readonly seat?: Seat | undefined;
}
export interface CreateCommand extends Common {
  readonly kind: "create";
  readonly seed: number;
  /** How long a seat may think, in ms. Absent: for ever. */
  readonly turnMs?: number | undefined;
  readonly seats: readonly [SeatHolder | null, SeatHolder | null];
}
export interface JoinCommand extends Common {
  readonly kind: "join";
  readonly name: string;
  readonly token: string;
}
export interface MoveCommand extends Common {
  readonly kind: "move";
  readonly move: unknown;
  readonly expectedVersion?: number | undefined;
}
export interface PlainCommand extends Common {
  readonly kind: "resign" | "offer-draw" | "accept-draw" | "decline-draw" | "rematch" | "claim-time" | "cancel";
}
export type MatchCommand = CreateCommand | JoinCommand | MoveCommand | PlainCommand;

export type Decoded =
  | { readonly command: MatchCommand }
  | {
      readonly refused: "MALFORMED" | "UNSUPPORTED";
      readonly message: string;
      readonly id: string;
      readonly replyTo?: string | undefined;
    };

const plain: ReadonlySet<unknown> = new Set([
  "resign",
  "offer-draw",
  "accept-draw",
  "decline-draw",
  "rematch",
  "claim-time",
  "cancel",
]);

const isName = (value: unknown): value is string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a name may not have
  typeof value === "string" && value.length >= 1 && value.length <= 64 && !/[\u0000-\u001f\u007f]/.test(value);
const isToken = (value: unknown): value is string => typeof value === "string" && /^[\w-]{16,128}$/.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isSeat = (value: unknown): value is Seat => value === 0 || value === 1;

function isHolder(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object") return false;
  const { name, hash } = value as Partial<SeatHolder>;
  return isName(name) && typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash);
}

/** What is wrong with a member of the command; undefined where nothing is. */
function fault(body: Readonly<Record<string, unknown>>): string | undefined {
  const { id, kind, token, seat } = body;
  if (typeof id !== "string" || !/^[\w.-]{8,128}$/.test(id)) return "id: 8 to 128 letters, digits, dots, hyphens, _";
  if (token !== undefined && !isToken(token)) return "token: 16 to 128 letters, digits, hyphens, _";
  if (seat !== undefined && !isSeat(seat)) return "seat: 0 or 1";
  if (kind === "create") return createFault(body);
  if (kind === "join")
    return !isName(body.name) ? "name: 1 to 64 characters" : token === undefined ? "token" : undefined;
  if (kind === "move") {
    const { move, expectedVersion } = body;
    if (move === undefined) return "move: it is missing";
    return expectedVersion === undefined || isCount(expectedVersion) ? undefined : "expectedVersion: a whole number";
  }
  return plain.has(kind) ? undefined : "kind: there is no such command";
}

function createFault({ seed, turnMs, seats }: Readonly<Record<string, unknown>>): string | undefined {
  if (!Number.isSafeInteger(seed)) return "seed: a whole number";
  if (turnMs !== undefined && (!isCount(turnMs) || (turnMs as number) < 1)) return "turnMs: 1 or more ms";
  if (!Array.isArray(seats) || seats.length !== 2 || !seats.every(isHolder))
    return "seats: two, each null or name and hash";
  return seats[0] === null && seats[1] === null ? "seats: one at least is taken" : undefined;
}

/** Reads what came in. What it does not know beside what it needs is passed over. */
export function decodeCommand(body: unknown): Decoded {
  const record = typeof body === "object" && body !== null ? (body as Readonly<Record<string, unknown>>) : {};
  const id = typeof record.id === "string" ? record.id.slice(0, 128) : "";
  const { replyTo: named } = record;
  const replyTo = typeof named === "string" && /^games\.reply\.[\w-]{16,64}$/.test(named) ? named : undefined;
  const refuse = (refused: "MALFORMED" | "UNSUPPORTED", message: string): Decoded => ({
    refused,
    message,
    id,
    replyTo,
  });
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return refuse("MALFORMED", "a JSON object, please");
  if (JSON.stringify(body).length > longestCommand)
    return refuse("MALFORMED", `longer than ${longestCommand} characters`);
  if (!Number.isInteger(record.v)) return refuse("MALFORMED", "v: the protocol's version");
  if (record.v !== protocolVersion) return refuse("UNSUPPORTED", `this referee speaks version ${protocolVersion}`);
  const wrong = fault(record);
  if (wrong !== undefined) return refuse("MALFORMED", wrong);
  return { command: { ...record, replyTo } as MatchCommand };
}

/** Tells two commands of one id apart. */
export function askedHash(command: MatchCommand): string {
  const { v: _v, id: _id, replyTo: _replyTo, token, ...asked } = command;
  const sorted = Object.entries(asked)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([...sorted, token === undefined ? null : sha256(token)]));
}
