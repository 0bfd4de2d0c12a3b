import type { Bus } from "@quadrant/bus";
import type { Entry, Seat } from "@quadrant/games";

export interface Verdict {
  readonly moves: number;
  readonly board: readonly (Seat | null)[];
  readonly ended: boolean;
  readonly version: number;
}

const lines = [
  [0, 1, 2],
  [3, 4, 5],
  [6, 7, 8],
  [0, 3, 6],
  [1, 4, 7],
  [2, 5, 8],
  [0, 4, 8],
  [2, 4, 6],
] as const;

/** Every match of Tic-Tac-Toe in the log by rules of its own, not the referee's. Throws at the first entry that is not legal. */
export async function judgeLog(bus: Bus): Promise<ReadonlyMap<string, Verdict>> {
  const log = await bus.log<Entry>("games");
  const matches = new Map<string, Entry[]>();
  for await (const { subject, data } of log.read({ to: "end" })) {
    const match = subject.split(".")[2] ?? "";
    const entries = matches.get(match) ?? [];
    entries.push(data);
    matches.set(match, entries);
  }
  return new Map([...matches].map(([match, entries]) => [match, judge(match, entries)]));
}

function judge(match: string, entries: readonly Entry[]): Verdict {
  const wrong = (what: string): never => {
    throw new Error(`${match}: ${what}: ${JSON.stringify(entries)}`);
  };
  const board: (Seat | null)[] = Array.from({ length: 9 }, () => null);
  const ids = new Set<string>();
  let moves = 0;
  let ended = false;
  for (const [at, { id, version, events }] of entries.entries()) {
    if (version !== at + 1) wrong(`version ${version} is entry ${at + 1}`);
    if (ids.has(id)) wrong(`${id} happened twice`);
    ids.add(id);
    for (const event of events) {
      if (ended && !event.kind.startsWith("rematch")) wrong(`${event.kind} after the end`);
      if (event.kind === "moved") {
        const { x, y } = event.move as { x: number; y: number };
        if (event.seat !== moves % 2 || board[3 * y + x] !== null) wrong(`move ${moves + 1} is not legal`);
        board[3 * y + x] = event.seat;
        moves += 1;
      }
      if (event.kind === "ended") {
        ended = true;
        const won = ([0, 1] as const).filter((seat) =>
          lines.some((line) => line.every((cell) => board[cell] === seat)),
        );
        if (event.by === "board" && event.outcome.winner !== (won[0] ?? null)) wrong("another has won");
        if (event.by === "board" && won.length === 0 && board.includes(null)) wrong("it had not ended");
      }
    }
  }
  return { moves, board, ended, version: entries.length };
}
