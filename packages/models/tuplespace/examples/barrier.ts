/** Workers that go from phase to phase together: the last to arrive opens the gate, which the others read. */
import { type Bus, connect, type TupleSpace } from "@quadrant/bus";

async function arrive(space: TupleSpace, phase: number, workers: number): Promise<void> {
  const [, , before] = await space.in(["arrived", phase, Number]);
  if (before + 1 === workers) await space.out(["open", phase]);
  else {
    await space.out(["arrived", phase, before + 1]);
    await space.rd(["open", phase]);
  }
}

/** The phases in the order in which they were worked on: none begins before all have ended the one before. */
export async function march(bus: Bus, workers: number, phases: number): Promise<readonly number[]> {
  const space = await bus.space("barrier");
  await space.outMany(Array.from({ length: phases }, (_, phase) => ["arrived", phase, 0]));
  const worked: number[] = [];
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (let phase = 0; phase < phases; phase++) {
        worked.push(phase);
        await arrive(space, phase, workers);
      }
    }),
  );
  await space.destroy();
  return worked;
}

if (import.meta.main) {
  await using bus = await connect("memory:");
  console.log("phases:", (await march(bus, 4, 3)).join(" "));
}
