/** Puts items as fast as it can, or at a given rate whatever becomes of them. */
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Bus } from "@quadrant/bus";
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import { type Inlet, inletOf, isFailure } from "../coupling.ts";
import type { Model } from "../experiment.ts";
import type { SenderInput } from "./sender.ts";

export interface Flood {
  readonly name: string;
  readonly forMs: number;
  /** Puts that are awaited at once. */
  readonly inFlight: number;
  readonly pad: number;
}

/** Open loop: the next comes when it is due, not when the last was done. */
export interface Offer {
  readonly name: string;
  readonly forMs: number;
  readonly perSecond: number;
  readonly pad: number;
}

export interface Offered {
  /** Numbers go from 0 up, without a gap. */
  readonly accepted: number;
  readonly refused: number;
  readonly tookMs: number;
}

/** Puts that have not been answered, at most: beyond, what is due is refused by the sender itself, and counted. */
const mostOpen = 20_000;

/** What one connection does under load. */
class Load {
  readonly #bus: Bus;
  readonly #model: Model;
  readonly #by: string;
  readonly #inlets = new Map<string, Promise<Inlet>>();
  #next = 0;

  constructor(bus: Bus, { model, by }: SenderInput) {
    this.#bus = bus;
    this.#model = model;
    this.#by = by;
  }

  #inlet(name: string): Promise<Inlet> {
    const known = this.#inlets.get(name) ?? inletOf(this.#model, this.#bus, name);
    this.#inlets.set(name, known);
    return known;
  }

  async flood({ name, forMs, inFlight, pad }: Flood): Promise<Offered> {
    const to = await this.#inlet(name);
    const filler = "x".repeat(pad);
    const began = nowMs();
    const end = began + forMs;
    let [accepted, refused, lastTurn] = [0, 0, began];
    const lane = async (): Promise<void> => {
      for (let now = nowMs(); now < end; now = nowMs()) {
        try {
          await to.put({ n: this.#next++, by: this.#by, sentMs: now, pad: filler });
          accepted++;
        } catch (error) {
          if (!isFailure(error)) throw error;
          refused++;
        }
        // Microtasks alone would starve timers and sockets.
        if (now - lastTurn > 5) {
          lastTurn = now;
          await turn();
        }
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return { accepted, refused, tookMs: nowMs() - began };
  }

  /** The time that an item carries is when it was due: a sender that falls behind does not hide it (G. Tene, "coordinated omission"). */
  async offer({ name, forMs, perSecond, pad }: Offer): Promise<Offered> {
    const to = await this.#inlet(name);
    const filler = "x".repeat(pad);
    const began = nowMs();
    const count = Math.max(1, Math.round((perSecond * forMs) / 1_000));
    const open = new Set<Promise<void>>();
    let [accepted, refused] = [0, 0];
    const put = (sentMs: number): Promise<void> =>
      to.put({ n: this.#next++, by: this.#by, sentMs, pad: filler }).then(
        () => void accepted++,
        (error) => {
          if (!isFailure(error)) throw error;
          refused++;
        },
      );
    for (let index = 0; index < count; index++) {
      const dueMs = began + (index * 1_000) / perSecond;
      for (let now = nowMs(); now < dueMs; now = nowMs()) await (dueMs - now > 2 ? pause(1) : turn());
      if (open.size >= mostOpen) refused++;
      else {
        const under = put(dueMs);
        open.add(under);
        void under.finally(() => open.delete(under));
      }
      if (index % 256 === 255) await turn();
    }
    await Promise.all(open);
    return { accepted, refused, tookMs: nowMs() - began };
  }
}

const loadSender: Role<SenderInput> = defineRole((bus, input) => {
  const load = new Load(bus, input);
  return { flood: (flood: Flood) => load.flood(flood), offer: (offer: Offer) => load.offer(offer) };
});
export default loadSender;
