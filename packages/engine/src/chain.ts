/** A value's place in a chain. */
export class Link<T> {
  readonly value: T;
  chain: Chain<T> | undefined;
  prev: Link<T> | undefined;
  next: Link<T> | undefined;

  constructor(value: T) {
    this.value = value;
  }

  /** Leaves its chain; harmless when it has left already. */
  leave(): void {
    this.chain?.remove(this);
  }
}

/**
 * A doubly linked list: first in, first out, with removal anywhere in O(1). (A Map in order of insertion would do, were
 * its first entry not slow to find once many before it have been deleted.)
 */
export class Chain<T> implements Iterable<T> {
  first: Link<T> | undefined;
  last: Link<T> | undefined;
  size = 0;

  append(value: T): Link<T> {
    const link = new Link(value);
    link.chain = this;
    link.prev = this.last;
    if (this.last === undefined) this.first = link;
    else this.last.next = link;
    this.last = link;
    this.size++;
    return link;
  }

  remove(link: Link<T>): void {
    if (link.prev === undefined) this.first = link.next;
    else link.prev.next = link.next;
    if (link.next === undefined) this.last = link.prev;
    else link.next.prev = link.prev;
    link.chain = link.prev = link.next = undefined;
    this.size--;
  }

  shift(): T | undefined {
    const link = this.first;
    if (link === undefined) return undefined;
    this.remove(link);
    return link.value;
  }

  /** In order. The value that was just given may leave the chain meanwhile. */
  *[Symbol.iterator](): Iterator<T> {
    let link = this.first;
    while (link !== undefined) {
      const next: Link<T> | undefined = link.next;
      yield link.value;
      link = next;
    }
  }
}
