/** The tokens of patterns as a tree; `*` and `>` are branches of their own, so that a subject walks at most few paths. */
interface Node<T> {
  readonly children: Map<string, Node<T>>;
  star: Node<T> | undefined;
  /** Of the pattern that ends here. */
  readonly here: Set<T>;
  /** Of the pattern that ends here in `>`. */
  readonly below: Set<T>;
}

function makeNode<T>(): Node<T> {
  return { children: new Map(), star: undefined, here: new Set(), below: new Set() };
}

function isEmpty<T>(node: Node<T>): boolean {
  return node.children.size === 0 && node.star === undefined && node.here.size === 0 && node.below.size === 0;
}

/** Values under patterns, found by the subjects that match. Patterns and subjects are valid ones (contract: subject.ts). */
export class SubjectTrie<T> {
  #root: Node<T> = makeNode();
  #size = 0;

  /** How many values there are. */
  get size(): number {
    return this.#size;
  }

  /** The same value twice under one pattern is there once; false then. */
  add(pattern: string, value: T): boolean {
    let node = this.#root;
    const tokens = pattern.split(".");
    const rest = tokens.at(-1) === ">";
    if (rest) tokens.pop();
    for (const token of tokens) {
      let next = token === "*" ? node.star : node.children.get(token);
      if (next === undefined) {
        next = makeNode<T>();
        if (token === "*") node.star = next;
        else node.children.set(token, next);
      }
      node = next;
    }
    const values = rest ? node.below : node.here;
    if (values.has(value)) return false;
    values.add(value);
    this.#size++;
    return true;
  }

  /** Whether it was there. */
  remove(pattern: string, value: T): boolean {
    const tokens = pattern.split(".");
    const rest = tokens.at(-1) === ">";
    if (rest) tokens.pop();
    const path: Node<T>[] = [this.#root];
    for (const token of tokens) {
      const node = path.at(-1)!;
      const next = token === "*" ? node.star : node.children.get(token);
      if (next === undefined) return false;
      path.push(next);
    }
    const last = path.at(-1)!;
    if (!(rest ? last.below : last.here).delete(value)) return false;
    this.#size--;
    for (let i = path.length - 1; i > 0 && isEmpty(path[i]!); i--) {
      const token = tokens[i - 1]!;
      if (token === "*") path[i - 1]!.star = undefined;
      else path[i - 1]!.children.delete(token);
    }
    return true;
  }

  /** Visits each value whose pattern matches: a value under several of them once for each. */
  match(subject: string, visit: (value: T) => void): void {
    this.#walk(this.#root, subject, 0, visit);
  }

  #walk(node: Node<T>, subject: string, start: number, visit: (value: T) => void): void {
    for (const value of node.below) visit(value);
    const dot = subject.indexOf(".", start);
    const token = dot === -1 ? subject.slice(start) : subject.slice(start, dot);
    const child = node.children.get(token);
    if (child !== undefined) this.#step(child, subject, dot, visit);
    if (node.star !== undefined) this.#step(node.star, subject, dot, visit);
  }

  #step(node: Node<T>, subject: string, dot: number, visit: (value: T) => void): void {
    if (dot === -1) for (const value of node.here) visit(value);
    else this.#walk(node, subject, dot + 1, visit);
  }
}
