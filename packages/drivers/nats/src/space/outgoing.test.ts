import { expect, test } from "vitest";
import type { NatsConnection } from "../connection.ts";
import { Operation } from "./operation.ts";
import { Outgoing } from "./outgoing.ts";
import { Pending } from "./pending.ts";

test("what was asked before, and may have come then, is remembered when it is asked again", () => {
  const connection = { connected: true, maxPayloadBytes: 1_000_000, publish: () => undefined };
  const outgoing = new Outgoing(connection as unknown as NatsConnection, "inbox");
  outgoing.begin(1);
  const pending = new Pending(1, Operation.out, "out", "writes", ["s", "a1:2:n1"]);
  pending.answer.catch(() => undefined);
  outgoing.request(pending, false);
  outgoing.flush();
  // Nobody got it: it has not happened.
  pending.unheard = true;
  outgoing.request(pending, true);
  outgoing.flush();
  expect(pending.mayHaveCome).toBe(false);
  // Somebody may have got this one.
  outgoing.request(pending, true);
  outgoing.flush();
  expect([pending.mayHaveCome, pending.unheard]).toEqual([true, false]);
});
