/** Work that keeps a processor busy. The default export is what a thread of a pool runs. */

export function burn(ms: number): number {
  const end = performance.now() + ms;
  let value = 0;
  while (performance.now() < end) value = Math.sqrt(value + 1);
  return value;
}

export default burn;
