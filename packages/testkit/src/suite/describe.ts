import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clause } from "./clause.ts";
import { clauses } from "./clauses.ts";
import type { Environment, OpenEnvironment } from "./environment.ts";
import type {} from "./record.ts";
import { closePair, openPair, type Pair, Scene, type SceneOptions } from "./scene.ts";

export interface DescribeOptions extends SceneOptions {
  /** Clause id: why this driver does not keep the promise. It must fail when run, so that it ends when the driver improves. */
  readonly exemptions?: Readonly<Record<string, string>> | undefined;
  /** Why the environment offers no broker to pause, kill and restart; the clauses that need one are then not run. */
  readonly noBroker?: string | undefined;
  /** Why the broker keeps nothing when it is killed; the clauses that count on what it has kept are then not run. */
  readonly notDurable?: string | undefined;
}

function concernOf(clause: Clause): string {
  return clause.id.slice(0, clause.id.indexOf("/"));
}

function checkExemptions(exemptions: Readonly<Record<string, string>>): void {
  for (const [id, reason] of Object.entries(exemptions)) {
    if (!clauses.some((clause) => clause.id === id))
      throw new Error(`an exemption from "${id}": there is no such clause`);
    if (reason.trim() === "") throw new Error(`the exemption from "${id}" gives no reason`);
  }
}

function describeConcern(
  driver: string,
  concern: string,
  ofConcern: readonly Clause[],
  environment: () => Environment,
  options: DescribeOptions,
): void {
  describe(concern, () => {
    // Opened before the clauses, not by them: a dead broker must not satisfy an exemption.
    let pair: Pair;
    beforeAll(async () => {
      pair = await openPair(environment(), options);
    });
    afterAll(async () => {
      await closePair(pair);
    });
    for (const { id, promise, run } of ofConcern) {
      const exemption = options.exemptions?.[id];
      const title = exemption === undefined ? `${id}: ${promise}` : `${id}: ${promise} (exempt: ${exemption})`;
      it(title, { fails: exemption !== undefined }, async ({ task }) => {
        task.meta.quadrantClause = { driver, version: environment().version, clause: id, exemption };
        const scene = new Scene(environment(), pair, options);
        try {
          await run(scene);
        } finally {
          await scene.end();
        }
      });
    }
  });
}

function describeClauses(
  driver: string,
  some: readonly Clause[],
  open: OpenEnvironment,
  options: DescribeOptions,
): void {
  let environment: Environment | undefined;
  const opened = (): Environment => {
    if (environment === undefined) throw new Error("the environment did not open");
    return environment;
  };
  beforeAll(async () => {
    environment = await open();
  });
  afterAll(async () => {
    await environment?.close();
  });
  for (const [concern, ofConcern] of Map.groupBy(some, concernOf)) {
    describeConcern(driver, concern, ofConcern, opened, options);
  }
  const { noBroker, notDurable } = options;
  if (notDurable !== undefined) {
    it(`keeps nothing: ${notDurable}`, async ({ task }) => {
      const { version } = opened();
      task.meta.quadrantAbsence = { driver, version, needs: ["durable broker"], reason: notDurable };
      const { bus, other } = await openPair(opened(), options);
      await closePair({ bus, other });
      expect(bus.support.durability?.how).toBe("refused");
    });
  }
  if (noBroker !== undefined) {
    it(`offers no broker to do things to: ${noBroker}`, ({ task }) => {
      const { version, broker } = opened();
      task.meta.quadrantAbsence = { driver, version, needs: ["broker", "durable broker"], reason: noBroker };
      expect(broker).toBeUndefined();
    });
  }
}

/** Registers every clause as a test of the driver that `open` gives a URL of. To be called in a test file of the driver. */
export function describeDriver(name: string, open: OpenEnvironment, options: DescribeOptions = {}): void {
  checkExemptions(options.exemptions ?? {});
  describe(name, () => {
    describe("with the broker left alone", () => {
      describeClauses(
        name,
        clauses.filter((clause) => clause.needs === "nothing"),
        open,
        options,
      );
    });
    if (options.noBroker !== undefined) return;
    const needs = options.notDurable === undefined ? ["broker", "durable broker"] : ["broker"];
    describe("with a broker that fails", () => {
      describeClauses(
        name,
        clauses.filter((clause) => needs.includes(clause.needs)),
        open,
        options,
      );
    });
  });
}
