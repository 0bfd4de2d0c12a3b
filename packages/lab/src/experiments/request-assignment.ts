/**
 * Which of several servers gets a request: whoever is next, or always the same for a session. Measures: `perSecond`;
 * `fairness`, Jain's index of how many each handled; `moves`, how often a session changed its server, whose memory of the
 * session is then of no use.
 */
import { sum } from "simple-statistics";
import { nowMs } from "../site/role.ts";
import { Receiver, Sender } from "./cast.ts";
import { defineExperiment, driverNames, type Experiment, type Finding, type Verdict } from "./experiment.ts";

const servers = 3;
const sessions = 6;

export const requestAssignment: Experiment = defineExperiment({
  name: "request-assignment",
  question:
    "Several servers share the requests of sessions: in turn, or each session by the same server. What does each cost?",
  factors: { driver: driverNames, assignment: ["in turn", "by session"] },
  measure: {
    perSecond: { unit: "1/s", better: "more", label: "requests a second" },
    fairness: { unit: "Jain's index", better: "more", label: "fairness of the shares" },
    moves: { unit: "of 1", better: "less", label: "requests at another server than the session's last" },
  },
  run: async ({ assignment }, site) => {
    const count = site.quick ? 20 : 100;
    const bySession = assignment === "by session";
    // A session's address is that of its server: chosen by the hash of its key, as a client would.
    const addressOf = (server: number): string => (bySession ? `${site.name}.s${server}` : site.name);
    const takers = await Promise.all(
      Array.from({ length: servers }, (_, server) =>
        Receiver.start(site, { model: "direct", name: addressOf(server), inFlight: 64 }),
      ),
    );
    const clients = await Promise.all(
      Array.from({ length: sessions }, (_, session) => Sender.start(site, "direct", `session-${session}`)),
    );
    const began = nowMs();
    await Promise.all(
      clients.map((client, session) =>
        client.send({ name: addressOf(session % servers), from: session * count, count }),
      ),
    );
    const perSecond = (sessions * count * 1_000) / (nowMs() - began);
    const taken = await Promise.all(takers.map((taker) => taker.taken()));
    const shares = taken.map(({ length }) => length);
    return {
      perSecond,
      fairness: sum(shares) ** 2 / (servers * sum(shares.map((share) => share ** 2)) || 1),
      moves: movesOf(taken.flatMap((items, server) => items.map(({ by, atMs }) => ({ by, atMs, server })))),
    };
  },
  expect: (findings) => findings.map(verdictOn),
});

function movesOf(handled: readonly { readonly by: string; readonly atMs: number; readonly server: number }[]): number {
  const last = new Map<string, number>();
  let moves = 0;
  for (const { by, server } of handled.toSorted((a, b) => a.atMs - b.atMs)) {
    if (last.has(by) && last.get(by) !== server) moves++;
    last.set(by, server);
  }
  return moves / Math.max(1, handled.length);
}

function verdictOn({ cell, values }: Finding): Verdict {
  const mean = (measure: string): number => sum(values.map((each) => each[measure] ?? 0)) / values.length;
  const seen = `${(mean("moves") * 100).toFixed(0)} % moved, fairness ${mean("fairness").toFixed(2)}`;
  if (cell.assignment === "by session")
    return { claim: "a session stays with its server", cell, holds: mean("moves") === 0, seen };
  return { claim: "all servers have a share", cell, holds: mean("fairness") > 0.6, seen };
}
