/** A process that plays one role after the other, each over a connection of its own. */
import { type Bus, type ConnectOptions, connect } from "@quadrant/bus";
import { play } from "../bench/roles/role.ts";
import type { Answers, Role } from "./role.ts";

export interface Casting {
  /** The address of a module whose default export is a role. */
  readonly module: string;
  readonly url: string;
  readonly options: ConnectOptions;
  readonly input: unknown;
}

let bus: Bus | undefined;
let answers: Answers = {};

play<{
  begin: Casting;
  ask: { question: string; argument: unknown };
  end: undefined;
  memory: undefined;
}>({
  begin: async ({ module, url, options, input }) => {
    const [{ default: role }, opened] = await Promise.all([
      import(module) as Promise<{ default: Role<unknown> }>,
      connect(url, options),
    ]);
    bus = opened;
    answers = await role.play(opened, input);
  },
  ask: ({ question, argument }) => {
    const answer = answers[question];
    if (answer === undefined) throw new Error(`this part does not answer to ${question}`);
    return answer(argument);
  },
  end: async () => {
    answers = {};
    await bus?.close({ drainMs: 500 });
    bus = undefined;
  },
  memory: () => process.memoryUsage.rss(),
});
