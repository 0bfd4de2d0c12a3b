/** A buffer of a few places between a quick producer and a slow consumer: `out` waits while the space is full. */
import { type Bus, connect } from "@quadrant/bus";

/** What was consumed, in order, and how many items the buffer held at most. */
export async function transfer(
  bus: Bus,
  places: number,
  items: number,
): Promise<{ readonly consumed: readonly number[]; readonly most: number }> {
  const buffer = await bus.space("buffer", { capacity: places });
  const producing = (async () => {
    for (let item = 0; item < items; item++) await buffer.out(["item", item]);
  })();
  const consumed: number[] = [];
  let most = 0;
  while (consumed.length < items) {
    most = Math.max(most, await buffer.count(["item", Number]));
    const [, item] = await buffer.in(["item", Number]);
    consumed.push(item);
  }
  await producing;
  await buffer.destroy();
  return { consumed, most };
}

if (import.meta.main) {
  await using bus = await connect("memory:");
  const { consumed, most } = await transfer(bus, 4, 100);
  console.log(`${consumed.length} items, at most ${most} at once`);
}
