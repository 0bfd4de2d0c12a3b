import { once } from "node:events";
import { listMatches, type Step, spectate, startClassicServer, startGames } from "@quadrant/games";
import type { Command } from "commander";
import { count } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

interface ServeOptions {
  readonly classic?: number;
}

const serveHelp = `
Runs referee, views, timekeeper and matchmaker over the bus, until Ctrl-C. Any number may run over one bus. With --classic,
Tic-Tac-Toe can be played on a TCP port of this machine: nc 127.0.0.1 PORT, then NEW, X 1 2, …`;

function configureServe(inner: Command, open: OpenSession): void {
  inner
    .option("--classic <port>", "also serve lines of text on this TCP port", count)
    .addHelpText("after", serveHelp)
    .action(async ({ classic }: ServeOptions) => {
      const session = open(inner);
      await session.withBus(async (bus) => {
        await using _services = await startGames(bus);
        await using server = classic === undefined ? undefined : await startClassicServer(bus, { port: classic });
        session.output.talk("referee, views, timekeeper and matchmaker are running; Ctrl-C ends them");
        if (server !== undefined) session.output.talk(`lines of text at 127.0.0.1:${server.port}`);
        if (!session.signal.aborted) await once(session.signal, "abort");
      });
    });
}

function configureList(inner: Command, open: OpenSession): void {
  inner.option("--game <name>", "of this game only").action(async ({ game }: { readonly game?: string }) => {
    const session = open(inner);
    const { output } = session;
    await session.withBus(async (bus) => {
      const matches = await listMatches(bus, { game });
      if (output.json) {
        for (const match of matches) await output.datum(match, () => "");
        return;
      }
      if (matches.length === 0) return output.talk("there are no matches");
      await output.table(
        ["match", "game", "state", "players", "version", "result"],
        matches.map(({ match, game: of, state, names, version, result }) => [
          match,
          of,
          state,
          names.map((name) => name ?? "-").join(", "),
          version,
          result ?? "-",
        ]),
      );
    });
  });
}

function stepText({ version, at, events, view }: Step): string {
  const told = events.map(({ kind, seat, move, name }) => {
    const who = name ?? (seat === undefined ? undefined : (view.names[seat] ?? `seat ${seat}`));
    return [who, kind, move === undefined ? undefined : JSON.stringify(move)].filter(Boolean).join(" ");
  });
  const { result } = view;
  const end = result === undefined ? [] : [result.winner === null ? "no winner" : `${view.names[result.winner]} won`];
  return [version, new Date(at).toISOString(), [...told, ...end].join("; "), JSON.stringify(view.board)].join("\t");
}

async function show(session: Session, match: string, from: number): Promise<void> {
  await session.withBus(async (bus) => {
    for await (const step of spectate(bus, match, { from, signal: session.signal })) {
      await session.output.datum(step, () => stepText(step));
    }
  });
}

function configureWatch(inner: Command, open: OpenSession): void {
  inner
    .argument("<match>", "its name")
    .option("--from <version>", "the first step to show", count, 1)
    .addHelpText(
      "after",
      "\nShows each step as a spectator sees it: those there are, then live, until the match has ended.",
    )
    .action((match: string, { from }: { readonly from: number }) => show(open(inner), match, from));
}

export function configure(command: Command, open: OpenSession): void {
  configureServe(command.command("serve").description("run the services of the games"), open);
  configureList(command.command("list").description("the matches, the latest first"), open);
  configureWatch(command.command("watch").description("show a match, from its beginning and live"), open);
}
