import { once } from "node:events";
import { userInfo } from "node:os";
import type { Bus } from "@quadrant/contract";
import {
  listMatches,
  openPlayer,
  type Player,
  type Seated,
  type Step,
  spectate,
  startClassicServer,
  startGames,
} from "@quadrant/games";
import type { Command } from "commander";
import { misused } from "../failure.ts";
import { PlayedMatch, replay } from "../game/played-match.ts";
import { count, duration } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

interface ServeOptions {
  readonly classic?: number;
}

const serveHelp = `
Runs referee, views, timekeeper, matchmaker, bots, leaderboard, archive and commentator over the bus, until Ctrl-C. Any number may run over one bus. With --classic,
Tic-Tac-Toe can be played on a TCP port of this machine: nc 127.0.0.1 PORT, then NEW, X 1 2, …`;

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

async function serveLines({ output, signal }: Session, bus: Bus, port: number): Promise<void> {
  const server = await startClassicServer(bus, { port });
  output.talk(`lines of text at 127.0.0.1:${server.port}`);
  await untilAborted(signal).finally(() => server[Symbol.asyncDispose]());
}

function configureServe(inner: Command, open: OpenSession): void {
  inner
    .option("--classic <port>", "also serve lines of text on this TCP port", count)
    .addHelpText("after", serveHelp)
    .action(async ({ classic }: ServeOptions) => {
      const session = open(inner);
      await session.withBus(async (bus) => {
        const services = await startGames(bus);
        try {
          session.output.talk("the services of the games are running; Ctrl-C ends them");
          await (classic === undefined ? untilAborted(session.signal) : serveLines(session, bus, classic));
        } finally {
          await services[Symbol.asyncDispose]();
        }
      });
    });
}

interface PlayOptions {
  readonly bot?: boolean;
  readonly open?: boolean;
  readonly join?: string;
  readonly resume?: string;
  readonly token?: string;
  readonly name: string;
  readonly size?: number;
  readonly inRow?: number;
  readonly turn?: number;
}

const playHelp = `
Needs the services of the games on the bus: quadrant game serve, or quadrant up. Without --bot, --open or --join it waits for
somebody who wants the same game. Moves are typed, a line each: tictactoe X Y, connect4 COLUMN, nim HEAP HOW-MANY, battleship
first "fleet", then X Y; numbers begin with 0. Also: resign, draw, accept, decline. The end of the input resigns; Ctrl-C keeps
the seat, and says how to come back.`;

function seatOf(player: Player, game: string, options: PlayOptions, session: Session): Promise<Seated> {
  const { bot, open, join, resume, token, size, inRow, turn: turnMs } = options;
  const ways = [bot, open, join, resume].filter((way) => way !== undefined);
  if (ways.length > 1) throw misused("--bot, --open, --join and --resume: give one of them");
  if (resume !== undefined) {
    if (token === undefined) throw misused("--resume MATCH: give the seat's --token as well");
    return player.resume({ match: resume, token });
  }
  if (join !== undefined) return player.join(join);
  const variant = { size, inRow, turnMs };
  if (bot) return player.playBot(game, variant);
  if (open) return player.create(game, variant);
  session.output.talk(`waiting for somebody who wants to play ${game}; Ctrl-C withdraws`);
  return player.seek(game, { ...variant, signal: session.signal });
}

function configurePlay(inner: Command, open: OpenSession): void {
  inner
    .argument("[game]", "tictactoe, connect4, nim, nim-misere or battleship", "tictactoe")
    .option("--bot", "against a bot")
    .option("--open", "open a match that anybody may join")
    .option("--join <match>", "take the open seat of a match")
    .option("--resume <match>", "go on in a seat that one has; with --token")
    .option("--token <token>", "of the seat")
    .option("--name <name>", "what one is called", userInfo().username)
    .option("--size <n>", "of Tic-Tac-Toe: the side of its square", count)
    .option("--in-row <n>", "of Tic-Tac-Toe: so many in a row win", count)
    .option("--turn <duration>", "how long a seat may think, such as 30s; for ever unless told", duration)
    .addHelpText("after", playHelp)
    .action(async (game: string, options: PlayOptions) => {
      const session = open(inner);
      await session.withBus(async (bus) => {
        const player = await openPlayer(bus, { name: options.name });
        try {
          const seated = await seatOf(player, game, options, session);
          await new PlayedMatch(session, seated).run().finally(() => seated[Symbol.asyncDispose]());
        } finally {
          await player[Symbol.asyncDispose]();
        }
      });
    });
}

function configureReplay(inner: Command, open: OpenSession): void {
  inner.argument("<match>", "its name").action(async (match: string) => {
    const session = open(inner);
    await session.withBus((bus) => replay(session, bus, match));
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
  configurePlay(command.command("play").description("play a game in the terminal"), open);
  configureReplay(command.command("replay").description("show a match as far as it has come, with its boards"), open);
  configureList(command.command("list").description("the matches, the latest first"), open);
  configureWatch(command.command("watch").description("show a match, from its beginning and live"), open);
}
