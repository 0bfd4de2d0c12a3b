import { BusError } from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import { readServer, serverRow } from "../wire/transfer.ts";
import type { HubOperation, Outcome } from "./operations.ts";

const nothing: Outcome = { values: [] };

function plain(run: HubOperation["run"]): HubOperation {
  return { waits: false, captures: false, run };
}

/** Everything that belongs to the session itself: subscriptions, servers, the directory. */
export const sessionOperations: readonly (readonly [number, HubOperation])[] = [
  [Operation.sync, plain(async () => nothing)],
  [
    // [subscription, pattern, group?]
    Operation.subscribe,
    plain(async (session, values) => {
      await session.topics.subscribe(values.u32(0), values.string(1), values.optionalString(2));
      return nothing;
    }),
  ],
  [
    // [subscription]
    Operation.unsubscribe,
    plain(async (session, values) => {
      await session.topics.unsubscribe(values.u32(0));
      return nothing;
    }),
  ],
  [
    // [kind] → [names]
    Operation.list,
    plain(async (session, values) => {
      const kind = values.string(0);
      if (kind !== "mailbox" && kind !== "log" && kind !== "space" && kind !== "blobs") {
        throw new BusError("invalid", `"${kind}" is no kind to list`);
      }
      const right = kind === "mailbox" ? "mailboxes" : kind === "log" ? "logs" : kind === "space" ? "spaces" : "blobs";
      const { grants } = session;
      const names = kind === "blobs" ? session.blobs.table.names() : session.engine.list(kind);
      return { values: [grants === undefined ? names : names.filter((name) => grants.allows(right, name))] };
    }),
  ],
  [
    // → [JSON]
    Operation.describe,
    plain(async (session) => ({ values: [JSON.stringify(session.describeHub())] })),
  ],
  [
    // [registration, server]
    Operation.serve,
    plain(async (session, values) => {
      await session.calls.serve(values.u32(0), readServer(values.values(1)));
      return nothing;
    }),
  ],
  [
    // [registration]
    Operation.unserve,
    plain(async (session, values) => {
      await session.calls.unserve(values.u32(0));
      return nothing;
    }),
  ],
  [
    // → [servers]
    Operation.services,
    plain(async (session) => {
      const { grants } = session;
      const services = await session.engine.calls.services();
      const known = grants === undefined ? services : services.filter(({ address }) => grants.allows("call", address));
      return { values: [known.map(serverRow)] };
    }),
  ],
];
