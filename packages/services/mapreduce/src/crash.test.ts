import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, type Claim, connect, type Mailbox, type TupleSpace } from "@quadrant/bus";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCoordinator } from "./coordinator.ts";
import { listDocuments } from "./document.ts";
import { eventPattern, type JobEvent, partitionAddress } from "./job.ts";
import { cutPieces, encodePartial, type Piece } from "./partial.ts";
import { runWorker } from "./worker.ts";

/**
 * The steps of a worker between which it can die. What a step does to the bus has happened when it dies after it.
 */
const steps = ["claim task", "send letter", "ack task", "claim partition", "send result", "ack partition"] as const;
type Step = (typeof steps)[number];

interface Death {
  readonly step: Step;
  /** At the n-th time. */
  readonly time: number;
  readonly when: "before" | "after";
}

/** A bus whose connection goes away without a word at a step, as that of a killed process does. */
function mortal(bus: Bus, death: Death): Bus {
  let times = 0;
  const passing = async <T>(step: Step, act: () => Promise<T>): Promise<T> => {
    if (step !== death.step || ++times !== death.time) return act();
    if (death.when === "after") await act();
    await bus.close({ drainMs: 0 });
    throw new Error(`died ${death.when} it was to ${step}`);
  };
  const overriding = <T extends object>(target: T, changes: Partial<T>): T =>
    new Proxy(target, {
      get: (_, name) => {
        const value: unknown = Reflect.get(name in changes ? changes : target, name);
        return typeof value === "function" ? value.bind(name in changes ? changes : target) : value;
      },
    });
  const claimOf = (claim: Claim<readonly unknown[]>): Claim<readonly unknown[]> =>
    overriding(claim, { ack: () => passing(`ack ${claim.tuple[0]}` as Step, () => claim.ack()) });
  const spaceOf = (space: TupleSpace): TupleSpace =>
    overriding(space, {
      claim: (async (template: readonly unknown[], wait: object) =>
        claimOf(
          await passing(`claim ${template[0]}` as Step, () => space.claim(template as readonly ["task"], wait)),
        )) as TupleSpace["claim"],
    });
  const boxOf = <T>(box: Mailbox<T>): Mailbox<T> =>
    overriding(box, {
      send: (data, options) =>
        passing(box.address.endsWith(".results") ? "send result" : "send letter", () => box.send(data, options)),
    });
  return overriding(bus, {
    space: async (name) => spaceOf(await bus.space(name)),
    mailbox: async <T>(address: string) => boxOf(await bus.mailbox<T>(address)),
  });
}

describe("a worker's death changes nothing in the result", () => {
  const text = Array.from({ length: 3_000 }, (_, i) => `w${(i * 7919) % 211} constructor`).join("\n");
  const expected = new Map<string, number>();
  for (const word of text.split(/\s/)) expected.set(word, (expected.get(word) ?? 0) + 1);
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quadrant-crash-"));
    await writeFile(join(folder, "text"), text);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const deaths: Death[] = steps.flatMap((step) =>
    (["before", "after"] as const).flatMap((when) =>
      (step.endsWith("task") || step === "send letter" ? [1, 5] : [1, 2]).map((time) => ({ step, when, time })),
    ),
  );

  it.each(deaths)("$when it was to $step, time $time", async (death) => {
    const url = `memory:${randomUUID()}`;
    const bus = await connect(url);
    const options = { job: "job", taskBytes: 3_000, partitions: 2, letterChars: 400 };
    const counting = runCoordinator(bus, await listDocuments([folder]), options);
    const victim = mortal(await connect(url), death);
    await expect(runWorker(victim, { job: "job", name: "victim", reducers: 2 })).rejects.toThrow();
    const heir = runWorker(bus, { job: "job", name: "heir", reducers: 2 });
    const { words } = await counting;
    expect(await heir).toBe("done");
    expect(words).toEqual(expected);
    await bus.close();
  });

  it("nor does a stopped worker that goes on when its task has long been done by another", async () => {
    const bus = await connect("memory:");
    const events = await bus.subscribe<JobEvent>(eventPattern("job"));
    const counting = runCoordinator(bus, await listDocuments([folder]), {
      job: "job",
      taskBytes: 3_000,
      partitions: 1,
    });
    const mapping = runWorker(bus, { job: "job", reducers: 0 });
    for await (const { data } of events) if (data.kind === "task") break;
    // The letters of the one that woke up: another attempt at task 0, complete, and one that is not.
    const box = await bus.mailbox<Piece>(partitionAddress("job", 0));
    const repeat = encodePartial({ words: "w0", counts: [999], unread: [] });
    const done = (await box.peek(1))[0]!.data.of;
    for (const attempt of ["second", "third"]) {
      for (const piece of cutPieces(done, attempt, repeat, 3).slice(0, attempt === "third" ? 1 : undefined)) {
        await box.send(piece);
      }
    }
    const reducing = runWorker(bus, { job: "job", reducers: 1 });
    expect((await counting).words).toEqual(expected);
    await Promise.all([mapping, reducing]);
    await bus.close();
  });
});
