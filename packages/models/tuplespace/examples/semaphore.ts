/** So many may use something at once: a permit is a tuple, held by a claim, so that who dies with it gives it back. */
import { type Bus, connect, type TupleSpace } from "@quadrant/bus";

export async function withPermit<T>(permits: TupleSpace, work: () => Promise<T>): Promise<T> {
  const permit = await permits.claim(["permit"]);
  try {
    return await work();
  } finally {
    // Back to its place: a permit is not used up.
    await permit.nak();
  }
}

/** How many were at work at once, at most. */
export async function crowd(bus: Bus, permitted: number, workers: number): Promise<number> {
  const permits = await bus.space("permits");
  await permits.outMany(Array.from({ length: permitted }, () => ["permit"]));
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: workers }, () =>
      withPermit(permits, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      }),
    ),
  );
  await permits.destroy();
  return most;
}

if (import.meta.main) {
  await using bus = await connect("memory:");
  console.log("at once, at most:", await crowd(bus, 3, 20));
}
