import { parseArgs } from "node:util";
import { connect } from "@quadrant/bus";
import { startGames, startReferee } from "@quadrant/games";
import { startBroker } from "@quadrant/testkit/brokers";
import { Referees } from "../games/referees.ts";
import { type GamesReport, playUnderKills } from "./games.ts";

/**
 * npm run campaign:games [-- --driver memory|zeromq|nats|redis]… [--matches 1000] [--kills 10] [--seed 0]: so many matches at once
 * over each broker, of two who move at random, while one of two referees is SIGKILLed so many times; on memory, which is one
 * process, the referee is replaced as often. Ends with 1 unless all matches have ended by a legal log, none lost, none twice.
 */
const drivers = ["memory", "zeromq", "nats", "redis"] as const;
const { values } = parseArgs({
  options: {
    driver: { type: "string", multiple: true },
    matches: { type: "string", default: "1000" },
    kills: { type: "string", default: "10" },
    seed: { type: "string", default: "0" },
  },
});
const chosen = drivers.filter((driver) => values.driver?.includes(driver) ?? true);
const [matches, kills, seed] = [Number(values.matches), Number(values.kills), Number(values.seed)];
if (
  chosen.length !== (values.driver?.length ?? drivers.length) ||
  ![matches, kills, seed].every(Number.isSafeInteger)
) {
  process.stderr.write(
    `usage: npm run campaign:games -- --driver ${drivers.join("|")} --matches N --kills N --seed N\n`,
  );
  process.exit(2);
}

async function inMemory(): Promise<GamesReport> {
  await using bus = await connect("memory:");
  await using _views = await startGames(bus, { roles: ["views"] });
  let referee = await startReferee(bus);
  const kill = async (): Promise<void> => {
    await referee[Symbol.asyncDispose]();
    referee = await startReferee(bus);
  };
  const report = await playUnderKills(bus, { matches, kills, kill, seed });
  await referee[Symbol.asyncDispose]();
  return report;
}

async function over(driver: "zeromq" | "nats" | "redis"): Promise<GamesReport> {
  await using broker = await startBroker(driver);
  await using bus = await connect(broker.url, broker.options);
  await using _views = await startGames(bus, { roles: ["views"] });
  await using referees = new Referees(broker.url);
  await Promise.all([referees.start(), referees.start()]);
  return await playUnderKills(bus, { matches, kills, kill: () => referees.kill(), seed });
}

let broken = 0;
for (const driver of chosen) {
  const report = await (driver === "memory" ? inMemory() : over(driver));
  process.stdout.write(`${JSON.stringify({ driver, ...report })}\n`);
  if (report.ended !== matches) broken += 1;
}
process.exitCode = broken > 0 ? 1 : 0;
