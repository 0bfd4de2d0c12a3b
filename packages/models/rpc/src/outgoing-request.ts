import type { CallRequest, Headers } from "@quadrant/contract";
import { type Carried, streamWindow } from "./frame.ts";

/** A call as it is given to the driver. Nobody knows yet whether it streams: it has credit for the first items. */
export class OutgoingRequest implements CallRequest {
  readonly address: string;
  readonly method: string;
  readonly headers: Headers;
  readonly timeoutMs: number;
  readonly credit: number = streamWindow;
  readonly #carried: Carried;

  constructor(address: string, method: string, headers: Headers, carried: Carried, timeoutMs: number) {
    this.address = address;
    this.method = method;
    this.headers = headers;
    this.timeoutMs = timeoutMs;
    this.#carried = carried;
  }

  get contentType(): string {
    return this.#carried.contentType;
  }

  get body(): Uint8Array {
    return this.#carried.body;
  }

  get text(): string | undefined {
    return this.#carried.text;
  }
}
