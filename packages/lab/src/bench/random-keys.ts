/** A cheap sequence without a pattern (xorshift), alike in every run: whole numbers from 0 to below `below`. */
export function randomKeys(below: number): () => number {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}
