/** What is sent in benchmarks: JSON of a given size, another object every time. */
export interface Payload {
  readonly seq: number;
  readonly [field: string]: unknown;
}

/** Numbers begin here, so that all have as many digits and every payload as many bytes. */
const firstSeq = 1_000_000_000;

export const payloadBytes = { small: 128, large: 4096 } as const;

interface Item {
  readonly id: string;
  readonly name: string;
  readonly price: number;
  readonly quantity: number;
  readonly tags: readonly string[];
}

function itemOf(index: number): Item {
  const id = `item-${1_000 + index}`;
  return {
    id,
    name: `part number ${10 + (index % 90)}`,
    price: 10.25 + index,
    quantity: index % 10,
    tags: ["a", "bc"],
  };
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/**
 * Makes payloads whose JSON is exactly so many bytes: an order with as many items as fit, and a note that fills the rest.
 * Parsing them is work, as a long string alone would not be. Throws for less than 80 bytes, which do not hold an order.
 */
export function payloadMaker(bytes: number): (index: number) => Payload {
  const order = { seq: firstSeq, customer: "c-1234", at: 1_764_196_200_000, urgent: true, note: "" };
  const items: Item[] = [];
  const full = (): object => (items.length === 0 ? order : { ...order, items });
  while (bytes - sizeOf({ ...order, items: [...items, itemOf(items.length)] }) >= 0) items.push(itemOf(items.length));
  const rest = bytes - sizeOf(full());
  if (rest < 0) throw new Error(`an order takes more than ${bytes} bytes`);
  const { customer, at, urgent } = order;
  const note = "x".repeat(rest);
  if (items.length === 0) return (index) => ({ seq: firstSeq + index, customer, at, urgent, note });
  return (index) => ({ seq: firstSeq + index, customer, at, urgent, note, items });
}

/** Which payload of its maker it is, from 0; -1 for what is none. */
export function indexOf(payload: unknown): number {
  const seq = (payload as Payload | undefined)?.seq;
  return typeof seq === "number" ? seq - firstSeq : -1;
}
