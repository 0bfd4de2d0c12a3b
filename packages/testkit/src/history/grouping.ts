/** Adds to the list of a key. */
export function addTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

/** The least of any number of numbers, and of `start`. */
export function least(values: Iterable<number>, start: number = Number.POSITIVE_INFINITY): number {
  let result = start;
  for (const value of values) if (value < result) result = value;
  return result;
}

/** The greatest of any number of numbers, and of `start`. */
export function greatest(values: Iterable<number>, start: number = Number.NEGATIVE_INFINITY): number {
  let result = start;
  for (const value of values) if (value > result) result = value;
  return result;
}
