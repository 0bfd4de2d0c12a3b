const directions = [
  [1, 0],
  [0, 1],
  [1, 1],
  [1, -1],
] as const;

/** All straight runs of `inRow` cells on a grid that is numbered row by row. */
export function linesOf(width: number, height: number, inRow: number): readonly (readonly number[])[] {
  const lines: number[][] = [];
  for (let start = 0; start < width * height; start++) {
    for (const [dx, dy] of directions) {
      const endX = (start % width) + dx * (inRow - 1);
      const endY = Math.floor(start / width) + dy * (inRow - 1);
      if (endX >= width || endY < 0 || endY >= height) continue;
      lines.push(Array.from({ length: inRow }, (_, step) => start + step * (dx + dy * width)));
    }
  }
  return lines;
}
