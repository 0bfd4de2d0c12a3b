import type { Bus } from "@quadrant/contract";
import type { Games, Player } from "@quadrant/dashboard";
import {
  askForBot,
  type Leaderboard,
  leaderboardAddress,
  listMatches,
  lobbyName,
  openPlayer,
  spectate,
} from "@quadrant/games";

const listed = 200;

/** The game services on the bus, as the page needs them. */
export function gamesOn(bus: Bus): Games {
  return {
    open: (name) => openSeatsOf(bus, name),
    spectate: (match, options) => spectate(bus, match, options),
    matches: () => listMatches(bus, { limit: listed }),
    leaders: (game, limit) => bus.client<Leaderboard>(leaderboardAddress).top({ game, limit }),
  };
}

async function openSeatsOf(bus: Bus, name: string): Promise<Player> {
  const player = await openPlayer(bus, { name });
  return {
    create: (game, options) => player.create(game, options),
    join: (match) => player.join(match),
    seek: (game, options) => player.seek(game, options),
    resume: (seat) => player.resume(seat),
    playBot: async (game) => {
      const seated = await player.create(game);
      await askForBot(await bus.space(lobbyName), game, seated.match);
      return seated;
    },
    [Symbol.asyncDispose]: () => player[Symbol.asyncDispose](),
  };
}
