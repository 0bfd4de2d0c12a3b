import type { ReplyFrame } from "@quadrant/contract";
import { nameOf, tokenOf } from "../token.ts";
import { commonHeaders, type EncodedHeaders, headerLine, type ReadHeaders } from "../wire-headers.ts";

export const queueGroup = "quadrant";

export const callSubject = (address: string, method: string): string =>
  `_quadrant.call.${address}.${/^[A-Za-z0-9_-]{1,100}$/.test(method) ? method : tokenOf(method)}`;
/** What all servers of an address hear: which of them has the call, its caller may not know yet. */
export const controlSubject = (address: string): string => `_quadrant.call-control.${address}`;
/** What one connection that serves hears, and answers: whether it is there. */
export const instanceSubject = (instance: string): string => `_quadrant.call-instance.${instance}`;

/** The last token of a call's subject, or the header where a token cannot say it. */
export function methodOf(subject: string, read: ReadHeaders): string {
  const told = read.own.get("quadrant-method");
  if (told !== undefined) return decodeURIComponent(told);
  const token = subject.slice(subject.lastIndexOf(".") + 1);
  return nameOf(token) ?? token;
}

/** Beside the frames that a caller sees: the call is with this server; it left; it never took the call. */
export type Notice = "accepted" | "gone" | "refused";

/** A value is an ordinary reply; what else there is, a header says. */
export function frameHeaders(frame: ReplyFrame, instance: string): EncodedHeaders | undefined {
  const { kind, contentType } = frame;
  if (kind === "value") return commonHeaders(contentType, "");
  const extra = headerLine("Quadrant-Frame", kind) + headerLine("Quadrant-Instance", instance);
  if (kind !== "error") return commonHeaders(contentType, extra);
  // As NATS services tell of errors, so that their clients understand it.
  const error = headerLine("Nats-Service-Error-Code", 500) + headerLine("Nats-Service-Error", "the method failed");
  return commonHeaders(contentType, extra + error);
}

export function noticeHeaders(notice: Notice, instance: string): EncodedHeaders {
  return commonHeaders("", headerLine("Quadrant-Frame", notice) + headerLine("Quadrant-Instance", instance))!;
}

const kinds: ReadonlySet<string> = new Set(["item", "end", "error"]);

/** A reply as a frame; an error of a server that is not Quadrant's becomes one. */
export function readFrame(read: ReadHeaders, body: Uint8Array): ReplyFrame {
  const kind = read.own.get("quadrant-frame");
  if (kind !== undefined && kinds.has(kind))
    return { kind: kind as ReplyFrame["kind"], contentType: read.contentType, body };
  const code = read.own.get("nats-service-error-code");
  if (code === undefined) return { kind: "value", contentType: read.contentType, body };
  const message = read.own.get("nats-service-error") ?? "the service failed";
  const failure = Buffer.from(JSON.stringify({ name: "ServiceError", message, code }));
  return { kind: "error", contentType: "application/json", body: failure };
}
