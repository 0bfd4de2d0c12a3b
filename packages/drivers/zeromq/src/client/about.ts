import { Values } from "../wire/values.ts";

/** What a hub says of itself in its welcome. */
export interface HubAbout {
  readonly heartbeatMs: number;
  readonly maxPayloadBytes: number;
  readonly durable: boolean;
  readonly node: string;
}

export function readAbout(bytes: Uint8Array): HubAbout {
  const about = Values.read(bytes);
  return {
    heartbeatMs: Math.max(100, about.number(0)),
    maxPayloadBytes: about.number(1),
    durable: about.boolean(2),
    node: about.string(3),
  };
}
