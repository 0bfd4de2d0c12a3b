import { createHash } from "node:crypto";

/** What a consumer notes down, one line each, written before the next thing happens: it survives a SIGKILL. */
export interface LetterEvent {
  /** Handed over; the ack resolved; the ack was refused as stale; the ack's outcome is unknown. */
  readonly kind: "delivered" | "acked" | "stale" | "indefinite";
  readonly n: number;
  readonly attempt: number;
  /** Of a delivery: the digest of the data that came. */
  readonly digest?: string | undefined;
}

export interface LetterBody {
  readonly n: number;
  readonly text: string;
}

/** The n-th letter: a text of 50 to 450 characters that can be made again. */
export function letterBody(n: number): LetterBody {
  const unit = createHash("sha256").update(`letter ${n}`).digest("base64");
  return { n, text: `größe-${unit}`.repeat(1 + (n % 8)) };
}

export function digestOf(data: unknown): string {
  return createHash("sha256").update(JSON.stringify(data)).digest("hex").slice(0, 16);
}
