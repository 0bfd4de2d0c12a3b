/** A bag of tasks: whoever is free takes a row to compute, and puts out the result; nobody knows who the others are. */
import { type Bus, connect, type TupleSpace } from "@quadrant/bus";

type Matrix = readonly (readonly number[])[];

async function work(space: TupleSpace): Promise<void> {
  const [, right] = await space.rd(["right", Array]);
  const columns = right as Matrix;
  for (;;) {
    const [, row, left] = await space.in(["task", Number, Array]);
    if (row < 0) return;
    const values = columns[0]!.map((_, column) =>
      (left as readonly number[]).reduce((sum, value, index) => sum + value * columns[index]![column]!, 0),
    );
    await space.out(["row", row, values]);
  }
}

export async function multiply(bus: Bus, left: Matrix, right: Matrix, workers: number): Promise<Matrix> {
  const space = await bus.space("bag");
  const working = Array.from({ length: workers }, () => work(space));
  await space.out(["right", right]);
  await space.outMany(left.map((row, index) => ["task", index, row]));
  const product: (readonly number[])[] = [];
  for (const index of left.keys()) {
    const [, , row] = await space.in(["row", index, Array]);
    product.push(row as readonly number[]);
  }
  await space.outMany(working.map(() => ["task", -1, []]));
  await Promise.all(working);
  await space.destroy();
  return product;
}

if (import.meta.main) {
  await using bus = await connect("memory:");
  const left = [
    [1, 2],
    [3, 4],
  ];
  const right = [
    [5, 6],
    [7, 8],
  ];
  console.log(await multiply(bus, left, right, 2));
}
