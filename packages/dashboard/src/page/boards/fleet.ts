/** Where a ship begins, and whether it lies downwards or to the right. */
export interface Ship {
  readonly x: number;
  readonly y: number;
  readonly down: boolean;
}

export const side = 10;
/** Of the ships of a fleet, in the order in which they are placed. */
export const lengths: readonly number[] = [5, 4, 3, 3, 2];

export function shipCells({ x, y, down }: Ship, length: number): readonly number[] {
  return Array.from({ length }, (_, step) => y * side + x + step * (down ? side : 1));
}

/** A fleet that lies by chance, no two ships on one cell. */
export function drawFleet(random: () => number = Math.random): readonly Ship[] {
  const below = (limit: number): number => Math.floor(random() * limit);
  const taken = new Set<number>();
  return lengths.map((length) => {
    for (;;) {
      const down = random() < 0.5;
      const ship = { x: below(down ? side : side - length + 1), y: below(down ? side - length + 1 : side), down };
      const cells = shipCells(ship, length);
      if (cells.some((at) => taken.has(at))) continue;
      for (const at of cells) taken.add(at);
      return ship;
    }
  });
}
