import type { NatsConnection } from "../connection.ts";
import { ownerSubject } from "./layout.ts";

/** What the owner says of itself. */
export interface Announcement {
  readonly v: 1;
  readonly epoch: number;
  /** Another one: what was sent before may be lost. */
  readonly connection: number;
  /** Of the seat. */
  readonly revision: number;
  readonly ready: boolean;
}

export function announce(connection: NatsConnection, announcement: Announcement): void {
  if (connection.connected) connection.publish(ownerSubject, Buffer.from(JSON.stringify(announcement)));
}

export function readAnnouncement(data: Uint8Array): Announcement | undefined {
  try {
    const told = JSON.parse(Buffer.from(data).toString("utf8")) as Announcement;
    return told.v === 1 && typeof told.epoch === "number" ? told : undefined;
  } catch {
    return undefined;
  }
}
