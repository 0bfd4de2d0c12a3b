/** Draws ranks from 0 to `ranks - 1`, the n-th in proportion to 1 / n: Vose's alias method, two numbers a draw. */
export function zipf(ranks: number, random: () => number): () => number {
  let sum = 0;
  for (let rank = 1; rank <= ranks; rank++) sum += 1 / rank;
  // Each column is of its own rank up to its threshold, above of its alias.
  const threshold = Float64Array.from({ length: ranks }, (_, rank) => ranks / (rank + 1) / sum);
  const alias = new Uint32Array(ranks);
  const small: number[] = [];
  const large: number[] = [];
  for (let rank = 0; rank < ranks; rank++) (threshold[rank]! < 1 ? small : large).push(rank);
  while (small.length > 0 && large.length > 0) {
    const short = small.pop()!;
    const long = large.at(-1)!;
    alias[short] = long;
    threshold[long]! -= 1 - threshold[short]!;
    if (threshold[long]! < 1) small.push(large.pop()!);
  }
  for (const rank of [...small, ...large]) threshold[rank] = 1;
  return () => {
    const column = Math.floor((random() / 2 ** 32) * ranks);
    return random() / 2 ** 32 < threshold[column]! ? column : alias[column]!;
  };
}
