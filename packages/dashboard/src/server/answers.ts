import type { CreateOptions, Games, Seated } from "../games.ts";
import { malformed, type Terms } from "./asking.ts";
import type { News } from "./news.ts";
import type { Seats } from "./seats.ts";

/** With what a page's wishes are answered. */
export interface Desk {
  readonly games: Games;
  readonly news: News;
  readonly seats: Seats;
}

type Answer = (desk: Desk, terms: Terms, signal: AbortSignal) => Promise<unknown>;
type Stream = (desk: Desk, terms: Terms, signal: AbortSignal) => AsyncIterable<unknown>;

const leadersShown = 50;

/** What a page keeps of a seat. */
function shown({ match, game, seat, token }: Seated): object {
  return { match, game, seat, token };
}

function optionsIn(terms: Terms): CreateOptions {
  return { turnMs: terms.whole("turnMs"), size: terms.whole("size"), inRow: terms.whole("inRow") };
}

/** Somebody who has gone meanwhile gets no seat: it is given up. */
async function seated({ seats }: Desk, taking: Promise<Seated>, signal: AbortSignal): Promise<object> {
  const taken = await taking;
  if (!signal.aborted) return shown(seats.keep(taken));
  await taken[Symbol.asyncDispose]();
  throw signal.reason;
}

const seatOf = ({ seats }: Desk, terms: Terms): Promise<Seated> => seats.of(terms.token("match"), terms.token("token"));

export const answers: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  [
    "create",
    async (desk, terms, signal) => {
      const player = await desk.seats.player(terms.name());
      return seated(desk, player.create(terms.token("game"), optionsIn(terms)), signal);
    },
  ],
  [
    "join",
    async (desk, terms, signal) => {
      const player = await desk.seats.player(terms.name());
      return seated(desk, player.join(terms.token("match")), signal);
    },
  ],
  [
    "seek",
    async (desk, terms, signal) => {
      const player = await desk.seats.player(terms.name());
      return seated(desk, player.seek(terms.token("game"), { signal }), signal);
    },
  ],
  [
    "bot",
    async (desk, terms, signal) => {
      const player = await desk.seats.player(terms.name());
      return seated(desk, player.playBot(terms.token("game"), { signal }), signal);
    },
  ],
  [
    "move",
    async (desk, terms, signal) => {
      const expectedVersion = terms.whole("expectedVersion");
      if (expectedVersion === undefined) throw malformed("expectedVersion is missing");
      return (await seatOf(desk, terms)).move(terms.any("move"), { expectedVersion, signal });
    },
  ],
  ["resign", async (desk, terms) => (await seatOf(desk, terms)).resign()],
  ["offer-draw", async (desk, terms) => (await seatOf(desk, terms)).offerDraw()],
  ["accept-draw", async (desk, terms) => (await seatOf(desk, terms)).acceptDraw()],
  ["decline-draw", async (desk, terms) => (await seatOf(desk, terms)).declineDraw()],
  ["claim-time", async (desk, terms) => (await seatOf(desk, terms)).claimTime()],
  ["rematch", async (desk, terms, signal) => seated(desk, (await seatOf(desk, terms)).rematch({ signal }), signal)],
  ["leaders", ({ games }, terms) => games.leaders(terms.token("game"), leadersShown)],
]);

export const streams: ReadonlyMap<string, Stream> = new Map<string, Stream>([
  ["matches", ({ news }, _, signal) => news.matches.follow(signal)],
  ["jobs", ({ news }, _, signal) => news.jobs.follow(signal)],
  ["match", followed],
]);

async function* followed(desk: Desk, terms: Terms, signal: AbortSignal): AsyncGenerator<unknown> {
  const match = terms.token("match");
  const token = terms.optionalToken("token");
  const options = { from: Math.max(terms.whole("from") ?? 1, 1), signal };
  if (token === undefined) yield* desk.games.spectate(match, options);
  else yield* (await desk.seats.of(match, token)).follow(options);
}
