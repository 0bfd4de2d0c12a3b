import { isBusError } from "@quadrant/contract";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { tuplesArrived } from "./scripts/space-leases.ts";

/** What has come is told so often. */
const tellMs = 200;

/**
 * Tells the server which tuples that were taken have come: until then it has them in hand, to be asked for again, or to go back
 * when this client is gone for good. A place that takes again says so by that.
 */
export class Arrivals {
  readonly #requests: Requests;
  /** By space: place and number of each take. */
  #arrived = new Map<string, Map<string, number>>();
  #telling: NodeJS.Timeout | undefined;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  add(key: string, place: string, serial: number): void {
    let places = this.#arrived.get(key);
    if (places === undefined) {
      places = new Map();
      this.#arrived.set(key, places);
    }
    places.set(place, serial);
    this.#telling ??= setTimeout(() => void this.tell(), tellMs).unref();
  }

  /** Resolves once the server knows, or cannot be told now. */
  async tell(): Promise<void> {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    const arrived = [...this.#arrived];
    this.#arrived = new Map();
    await Promise.all(arrived.map(([key, places]) => this.#tell(key, places)));
  }

  async #tell(key: string, places: ReadonlyMap<string, number>): Promise<void> {
    const values: Argument[] = [];
    for (const [place, serial] of places) values.push(place, serial);
    try {
      await this.#requests.run(tuplesArrived, key, values, { what: "say what has come", writes: false });
    } catch (error) {
      if (isBusError(error, "closed")) return;
      // Else they would go back one day, though they have come. What was taken in the same place since says it as well.
      for (const [place, serial] of places) {
        if (this.#arrived.get(key)?.has(place) !== true) this.add(key, place, serial);
      }
    }
  }
}
