const blanks: readonly (readonly unknown[])[] = Array.from({ length: 33 }, (_, length) =>
  new Array<unknown>(length).fill(undefined),
);

/**
 * A list to be filled: of that length where it is short, else empty. For lists that are made with every operation: it is
 * a copy, since V8 decides once for each place in the code that makes a list whether those are long-lived, is misled by
 * how a program begins, and every list that it then puts among the old ones keeps alive what it was given.
 */
export function roomFor<T>(length: number): T[] {
  const blank = blanks[length];
  return blank === undefined ? [] : (blank.slice() as T[]);
}
