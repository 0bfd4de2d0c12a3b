import type { Case } from "../case.ts";
import { calls } from "./calls.ts";
import { coordination } from "./coordination.ts";
import { games } from "./games.ts";
import { ladder } from "./ladder.ts";
import { mailbox } from "./mailbox.ts";
import { mapreduce } from "./mapreduce.ts";
import { memory } from "./memory.ts";
import { nats } from "./nats.ts";
import { peers } from "./peers.ts";
import { pubsub } from "./pubsub.ts";
import { redis } from "./redis.ts";
import { tuplespace } from "./tuplespace.ts";

/** Every benchmark there is, in the order in which they run. */
export const catalogue: readonly Case[] = [
  pubsub,
  calls,
  mailbox,
  tuplespace,
  memory,
  nats,
  redis,
  mapreduce,
  coordination,
  games,
  peers,
  ladder,
];
