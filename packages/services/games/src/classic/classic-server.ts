import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type Bus, BusError } from "@quadrant/bus";
import { spectate } from "../follow.ts";
import type { Seat } from "../game.ts";
import type { Reply } from "../match/reply.ts";
import type { MatchView } from "../match/table.ts";
import { openPlayer, type Player, type Seated } from "../player.ts";
import { LineSplitter } from "./line-splitter.ts";

const longestLine = 4_096;
/** A connection that has more lines waiting is not read until they are answered. */
const pipelined = 64;
const mostConnections = 256;
const marks = "XO";

export interface ClassicServer extends AsyncDisposable {
  readonly port: number;
}

/**
 * Tic-Tac-Toe as lines of text on a TCP port of this machine: a gateway onto the referee. The program's whole state is what it has
 * asked the referee for; lines of a connection are answered one after the other, by a single thread.
 */
export async function startClassicServer(
  bus: Bus,
  { port = 0 }: { readonly port?: number | undefined } = {},
): Promise<ClassicServer> {
  const player = await openPlayer(bus, { name: "classic" });
  const sessions = new Set<ClassicSession>();
  const server: Server = createServer((socket) => {
    const session = new ClassicSession(bus, player, socket);
    sessions.add(session);
    socket.once("close", () => sessions.delete(session));
  });
  server.maxConnections = mostConnections;
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const session of sessions) session.end();
      await closed;
      await player[Symbol.asyncDispose]();
    },
  };
}

function boardText({ board }: MatchView): string {
  const cells = (board as readonly (Seat | null)[]).map((seat) => (seat === null ? "." : marks[seat]));
  return [0, 3, 6].map((at) => cells.slice(at, at + 3).join(" ")).join("\n");
}

function answerTo(reply: Reply): string {
  if (!reply.ok) return `ERROR ${reply.code} ${reply.message}`;
  return stateText(reply.view);
}

function stateText(view: MatchView): string {
  const { result } = view;
  if (result === undefined) return boardText(view);
  return result.winner === null ? `${boardText(view)}\nDRAW` : `${boardText(view)}\nWIN ${marks[result.winner]}`;
}

/** One connection: the seats that it has taken, and its lines, one after the other. */
class ClassicSession {
  readonly #bus: Bus;
  readonly #player: Player;
  readonly #socket: Socket;
  readonly #ended = new AbortController();
  readonly #seats: [Seated | undefined, Seated | undefined] = [undefined, undefined];
  readonly #lines: (string | undefined)[] = [];
  #answering = false;

  constructor(bus: Bus, player: Player, socket: Socket) {
    this.#bus = bus;
    this.#player = player;
    this.#socket = socket;
    const splitter = new LineSplitter(longestLine);
    socket.on("data", (bytes) => {
      this.#lines.push(...splitter.push(bytes as Buffer));
      if (this.#lines.length > pipelined) socket.pause();
      if (!this.#answering) void this.#answerAll();
    });
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#ended.abort());
  }

  end(): void {
    this.#ended.abort();
    this.#socket.destroy();
  }

  async #answerAll(): Promise<void> {
    this.#answering = true;
    while (this.#lines.length > 0 && !this.#ended.signal.aborted) {
      const line = this.#lines.shift();
      await this.#write(await this.#answer(line).catch(errorText));
      if (this.#lines.length <= pipelined) this.#socket.resume();
    }
    this.#answering = false;
  }

  /** A slow reader is waited for: its lines stay unread, and nobody else's do. */
  async #write(text: string): Promise<void> {
    if (this.#socket.destroyed || this.#socket.write(`${text}\n`)) return;
    await once(this.#socket, "drain", { signal: this.#ended.signal }).catch(() => undefined);
  }

  async #answer(line: string | undefined): Promise<string> {
    if (line === undefined) return `ERROR MALFORMED a line has at most ${longestLine} characters`;
    const [word = "", ...rest] = line.trim().split(/\s+/);
    if (word === "NEW" && rest.length === 0) return this.#sit(await this.#player.create("tictactoe"));
    if (word === "JOIN" && rest.length === 1) return this.#sit(await this.#player.join(rest[0] ?? ""));
    if (word === "RESUME" && rest.length === 2) {
      const [match = "", token = ""] = rest;
      return this.#sit(await this.#player.resume({ match, token }));
    }
    if (word === "WAIT" && rest.length === 1) return this.#wait(Number(rest[0]));
    const seat = marks.indexOf(word);
    if (word.length !== 1 || seat < 0 || rest.length !== 2 || !rest.every((text) => /^-?\d{1,9}$/.test(text))) {
      return "ERROR MALFORMED say NEW, JOIN <match>, RESUME <match> <token>, X <x> <y>, O <x> <y> or WAIT <version>";
    }
    return this.#move(seat as Seat, Number(rest[0]), Number(rest[1]));
  }

  #sit(seated: Seated): string {
    if (seated.game !== "tictactoe") return "ERROR NO_SUCH_GAME only Tic-Tac-Toe is played here";
    // Both seats of one match may be this connection's; of another match they are not.
    const other = this.#seats[seated.seat === 0 ? 1 : 0];
    if (other !== undefined && other.match !== seated.match) this.#seats.fill(undefined);
    this.#seats[seated.seat] = seated;
    return `MATCH ${seated.match} ${marks[seated.seat]} ${seated.token}`;
  }

  async #move(seat: Seat, x: number, y: number): Promise<string> {
    const seated = this.#seats[seat];
    if (seated !== undefined) return answerTo(await seated.move({ x, y }));
    const mine = this.#seats.some((held) => held !== undefined);
    return mine ? "ERROR NOT_YOUR_MARK that seat is not yours" : "ERROR NO_SEAT say NEW or JOIN <match> first";
  }

  /** The board once the match has that version, or has ended. */
  async #wait(version: number): Promise<string> {
    const seated = this.#seats.find((held) => held !== undefined);
    if (seated === undefined) return "ERROR NO_SEAT say NEW or JOIN <match> first";
    if (!Number.isSafeInteger(version)) return "ERROR MALFORMED a version is a whole number";
    for await (const step of spectate(this.#bus, seated.match, { signal: this.#ended.signal })) {
      if (step.version >= version || step.view.result !== undefined)
        return `AT ${step.version}\n${stateText(step.view)}`;
    }
    return "ERROR MATCH_OVER it ended before that version";
  }
}

function errorText(error: unknown): string {
  if (!(error instanceof BusError)) throw error;
  // A refusal of the referee begins with its code; everything else with the bus's.
  return /^[A-Z_]+: /.test(error.message)
    ? `ERROR ${error.message.replace(": ", " ")}`
    : `ERROR ${error.code.toUpperCase()} ${error.message}`;
}
