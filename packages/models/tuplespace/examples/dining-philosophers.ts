/** Philosophers who need two forks each: `inAll` takes both or none, so nobody waits with one in the hand. */
import { type Bus, connect } from "@quadrant/bus";

/** How often each has eaten. */
export async function dine(bus: Bus, seats: number, meals: number): Promise<readonly number[]> {
  const table = await bus.space("table");
  await table.outMany(Array.from({ length: seats }, (_, fork) => ["fork", fork]));
  const eaten = await Promise.all(
    Array.from({ length: seats }, async (_, seat) => {
      let times = 0;
      while (times < meals) {
        const forks = await table.inAll([
          ["fork", seat],
          ["fork", (seat + 1) % seats],
        ]);
        times++;
        await table.outMany(forks);
      }
      return times;
    }),
  );
  await table.destroy();
  return eaten;
}

if (import.meta.main) {
  await using bus = await connect("memory:");
  console.log("meals:", await dine(bus, 5, 100));
}
