import type { Bus } from "@quadrant/contract";
import { type MatchView, matchState, type Reply, type Seated, type Step, spectate } from "@quadrant/games";
import { failed } from "../failure.ts";
import { lineBatches } from "../line-source.ts";
import type { Session } from "../session.ts";
import { boardText } from "./board-text.ts";
import { moveHint, moveOf } from "./move-text.ts";

const marks = "XO";

/** Who is called what: by name and mark. */
function whoIs(view: MatchView, seat: number): string {
  return `${view.names[seat] ?? "nobody"} (${marks.charAt(seat)})`;
}

/** What a step came to, as somebody at a table would say it. */
export function stepTold({ events, view }: Step): string {
  const told = events.map(({ kind, seat, name, move, by }) => {
    if (kind === "ended") return `the match has ended, by ${by ?? "the rules"}`;
    const who = seat === undefined ? (name ?? "somebody") : whoIs(view, seat);
    return [who, kind, move === undefined ? undefined : JSON.stringify(move)].filter(Boolean).join(" ");
  });
  return told.join("; ");
}

export function resultTold(view: MatchView, seat: number | null): string {
  const { result } = view;
  if (result === undefined) return "";
  if (result.winner === null) return "nobody has won";
  if (seat === null) return `${whoIs(view, result.winner)} has won`;
  return result.winner === seat ? "you have won" : `you have lost; ${whoIs(view, result.winner)} has won`;
}

/** One seat of a match, played from the lines of stdin, until the match has ended or stdin does: then the seat resigns. */
export class PlayedMatch {
  readonly #session: Session;
  readonly #seated: Seated;
  #version = 0;
  #view: MatchView | undefined;
  /** Nobody types any more. */
  #gone = false;

  constructor(session: Session, seated: Seated) {
    this.#session = session;
    this.#seated = seated;
  }

  async run(): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#session.signal, over.signal]);
    const typing = this.#type(signal);
    try {
      for await (const step of this.#seated.follow({ signal: this.#session.signal })) await this.#show(step);
    } finally {
      over.abort();
      await typing;
    }
    const { match, token } = this.#seated;
    if (this.#session.signal.aborted && this.#view?.state !== "ended") {
      this.#session.output.talk(`your seat is kept: quadrant game play --resume ${match} --token ${token}`);
    }
  }

  async #show(step: Step): Promise<void> {
    const { output } = this.#session;
    const { seat, game } = this.#seated;
    const { view } = step;
    this.#version = step.version;
    this.#view = view;
    await output.datum(step, () => `${stepTold(step)}\n${boardText(game, view.board, seat)}`);
    if (view.state === "open") output.talk(`waiting for somebody to join: quadrant game play --join ${step.match}`);
    else if (view.state === "ended") output.talk(resultTold(view, seat));
    else if (view.toMove === seat) output.talk(`your move, ${marks.charAt(seat)}: ${moveHint(game)}; or resign, draw`);
    if (view.state === "running" && view.drawOfferedBy !== null && view.drawOfferedBy !== seat) {
      output.talk("a draw is offered: accept or decline");
    }
    if (this.#gone) await this.#leave();
  }

  /** Somebody may be waiting for a move. */
  async #leave(): Promise<void> {
    if (this.#view?.state === "running") await this.#seated.resign();
    else if (this.#view?.state === "open") await this.#seated.cancel();
  }

  async #type(signal: AbortSignal): Promise<void> {
    for await (const lines of lineBatches(this.#session.stdin, signal)) {
      for (const line of lines) {
        const reply = await this.#obey(line.trim().toLowerCase());
        if (reply?.ok === false) this.#session.output.warn(`${reply.code}: ${reply.message}`);
      }
    }
    this.#gone = true;
    if (!signal.aborted) await this.#leave();
  }

  async #obey(line: string): Promise<Reply | undefined> {
    const { game } = this.#seated;
    if (line === "") return undefined;
    if (line === "resign") return this.#seated.resign();
    if (line === "draw") return this.#seated.offerDraw();
    if (line === "accept") return this.#seated.acceptDraw();
    if (line === "decline") return this.#seated.declineDraw();
    const move = moveOf(game, line);
    if (move !== undefined) return this.#seated.move(move, { expectedVersion: this.#version });
    this.#session.output.warn(`"${line}" is no move of ${game}: ${moveHint(game)}; or resign, draw, accept, decline`);
    return undefined;
  }
}

/** What there is of a match now, from the beginning, with its boards. */
export async function replay(session: Session, bus: Bus, match: string): Promise<void> {
  const state = await matchState(bus, { match });
  if (state === undefined) throw failed(`there is no match ${match}: see quadrant game list`);
  for await (const step of spectate(bus, match, { signal: session.signal })) {
    await session.output.datum(
      step,
      () => `${step.version}. ${stepTold(step)}\n${boardText(step.game, step.view.board, null)}`,
    );
    if (step.view.state === "ended") session.output.talk(resultTold(step.view, null));
    if (step.version >= state.version) return;
  }
}
