/** What the page and its server say to each other over one WebSocket, as JSON text. */

/** Asks for an answer or a stream, or ends one that was asked for. `id` is the page's, a positive whole number. */
export type Asked =
  | { readonly id: number; readonly ask: string; readonly of?: Readonly<Record<string, unknown>> | undefined }
  | { readonly id: number; readonly stop: true };

export interface Failure {
  /** A code of the bus, or "malformed" and "too-many" of the server itself. */
  readonly code: string;
  readonly message: string;
}

export type Told =
  /** The answer; nothing more comes of this id. */
  | { readonly id: number; readonly value: unknown }
  /** One item of a stream. */
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly end: true }
  | { readonly id: number; readonly error: Failure }
  /** Every `beatMs` at least; `bus`: whether the server has its bus. */
  | { readonly beat: number; readonly bus: boolean };

/** A page that has heard nothing for three of them takes the connection for lost. */
export const beatMs = 5_000;
