import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError } from "@quadrant/bus";
import type { Step } from "./match/record.ts";
import { type MatchState, type MatchSummary, signOfLifeMs, type Views, viewsAddress } from "./views.ts";

export interface FollowOptions {
  /** The version of the first step; 1 unless told. */
  readonly from?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A server of views that has shown nothing for so long is taken for dead. */
const silenceMs = 5 * signOfLifeMs;
const pauseMs = 100;

/** What the servers answer, or will never answer differently. */
const final: ReadonlySet<string> = new Set(["invalid", "denied", "closed", "aborted", "unsupported", "codec"]);

function isFinal(error: unknown): boolean {
  if (!(error instanceof BusError)) return true;
  return final.has(error.code) || (error.code === "remote" && final.has(error.remote?.code ?? ""));
}

/** What a server said as its own failure is the caller's. */
function plain(error: unknown): unknown {
  if (!(error instanceof BusError) || error.code !== "remote") return error;
  const code = error.remote?.code;
  if (code !== "invalid" && code !== "denied") return error;
  return new BusError(code, error.remote?.message ?? error.message, { cause: error });
}

/**
 * Steps of a match, each once and in order, whatever servers and brokers do meanwhile; as long as they are away, it waits. Ends
 * with the match, or by the signal, without an error. "invalid" where there is no such match, "denied" for a token without a seat.
 */
export async function* followMatch(
  bus: Bus,
  of: { readonly match: string; readonly token?: string | undefined; readonly beyond?: boolean | undefined },
  { from = 1, signal }: FollowOptions = {},
): AsyncGenerator<Step> {
  let next = from;
  while (signal?.aborted !== true) {
    try {
      const views = bus.client<Views>(viewsAddress).$with({ timeoutMs: silenceMs, signal });
      for await (const step of views.follow({ ...of, from: next })) {
        if (step === null) continue;
        if (step.version !== next) throw new BusError("gap", `version ${next} is missing`);
        next += 1;
        yield step;
      }
      return;
    } catch (error) {
      if (signal?.aborted) return;
      if (isFinal(error)) throw plain(error);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Asks until a server answers, for at most 10 s. */
async function ask<T>(bus: Bus, question: (views: ReturnType<typeof viewsOf>) => Promise<T>): Promise<T> {
  const until = performance.now() + 10_000;
  for (;;) {
    try {
      return await question(viewsOf(bus));
    } catch (error) {
      if (isFinal(error) || performance.now() > until) throw plain(error);
      await sleep(pauseMs);
    }
  }
}

const viewsOf = (bus: Bus) => bus.client<Views>(viewsAddress);

/** As it is now; undefined where there is no such match. */
export async function matchState(
  bus: Bus,
  of: { match: string; token?: string | undefined },
): Promise<MatchState | undefined> {
  return (await ask(bus, (views) => views.state(of))) ?? undefined;
}

/** Steps as a spectator sees them: from the first on unless told, then live, until the match ends. */
export function spectate(bus: Bus, match: string, options: FollowOptions = {}): AsyncIterable<Step> {
  return followMatch(bus, { match }, options);
}

/** The latest first; at most `limit`, 100 unless told. */
export function listMatches(bus: Bus, of: Parameters<Views["list"]>[0] = {}): Promise<readonly MatchSummary[]> {
  return ask(bus, (views) => views.list(of));
}
