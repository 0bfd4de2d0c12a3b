import type { BusError } from "@quadrant/contract";
import { failureOf } from "./failures.ts";
import { Gathering } from "./link/gathering.ts";
import type { Link } from "./link/link.ts";
import { controlKey } from "./link/session.ts";
import { slotOf } from "./link/slots.ts";
import { inboxChannel } from "./names.ts";
import { callsWord } from "./pack/calls.ts";
import { Packing } from "./pack/packing.ts";
import { type Reply, ReplyError } from "./resp/reply-reader.ts";

const controlSlot = slotOf(controlKey);
/** Calls for one server leave before the turn ends once they are so much: see Wire. */
const gatheredBytes = 4_096;

export interface DispatchEvents<T> {
  /** Something is about to be sent: what has to be heard before leaves now. */
  before(): void;
  /** That server's client has it. */
  heard(call: T): void;
  /** Nobody has heard it: `packed` as it was written. */
  unheard(call: T, packed: Buffer): void;
  failed(call: T, error: BusError): void;
}

/** One call of a parcel, and where in it. */
interface Item<T> {
  readonly call: T;
  readonly from: number;
  readonly to: number;
}

/** Calls for one server that leave in one message. */
interface Parcel<T> {
  readonly packing: Packing;
  items: Item<T>[];
  withdrawn: boolean;
}

/** What comes before a call: its length, and that of those who have refused it. */
const itemHead = 6;

/** Calls on their way to servers that are known: those of one turn for one server leave together, once and never again. */
export class Dispatch<T> {
  readonly #link: Link;
  readonly #events: DispatchEvents<T>;
  /** By server: "client.number". A new one each time: see Mail. */
  #parcels = new Map<string, Parcel<T>>();
  readonly #spare: Packing[] = [];
  #from = 0;
  readonly #gathering = new Gathering(() => this.flush());

  constructor(link: Link, events: DispatchEvents<T>) {
    this.#link = link;
    this.#events = events;
  }

  /** Where the next call to that server is to be written; then it is to be ended. */
  begin(server: string): Packing {
    let parcel = this.#parcels.get(server);
    if (parcel === undefined) {
      const packing = (this.#spare.pop() ?? new Packing()).latin(callsWord(server));
      parcel = { packing, items: [], withdrawn: false };
      this.#parcels.set(server, parcel);
    }
    const { packing } = parcel;
    this.#from = packing.size + itemHead;
    return packing.whole(0).byte(0).byte(0);
  }

  end(server: string, call: T): void {
    const { packing, items } = this.#parcels.get(server)!;
    const from = this.#from;
    packing.patch(from - itemHead, packing.size - from + itemHead - 4);
    items.push({ call, from, to: packing.size });
    this.#gathering.add(packing.size >= gatheredBytes);
  }

  /** Whether it had not left, and never will. */
  withdraw(call: T): boolean {
    for (const parcel of this.#parcels.values()) {
      const left = parcel.items.filter((item) => item.call !== call);
      if (left.length === parcel.items.length) continue;
      parcel.items = left;
      parcel.withdrawn = true;
      return true;
    }
    return false;
  }

  flush(): void {
    if (this.#parcels.size === 0) return;
    const parcels = this.#parcels;
    this.#parcels = new Map();
    this.#events.before();
    for (const [server, { packing, items, withdrawn }] of parcels) {
      const bytes = packing.take();
      if (this.#spare.length < 64) this.#spare.push(packing);
      if (!withdrawn) this.#post(server, bytes, items);
      else if (items.length > 0) this.#pack(server, bytes, items);
    }
  }

  /** Some were withdrawn: the others are packed anew. */
  #pack(server: string, bytes: Buffer, items: readonly Item<T>[]): void {
    let at = callsWord(server).length;
    const parts = [bytes.subarray(0, at)];
    const moved = items.map(({ call, from, to }) => {
      parts.push(bytes.subarray(from - itemHead, to));
      at += to - from + itemHead;
      return { call, from: at - (to - from), to: at };
    });
    this.#post(server, Buffer.concat(parts), moved);
  }

  #post(server: string, bytes: Buffer, items: readonly Item<T>[]): void {
    const unheard = (): void => {
      for (const { call, from, to } of items) this.#events.unheard(call, bytes.subarray(from, to));
    };
    const wire = this.#link.ready ? this.#link.session?.wireFor(controlSlot) : undefined;
    if (wire === undefined) {
      unheard();
      return;
    }
    const reply = (heard: Reply): void => {
      if (heard === 0) unheard();
      else if (heard instanceof ReplyError) {
        for (const { call } of items) this.#events.failed(call, failureOf(heard, "call"));
      } else for (const { call } of items) this.#events.heard(call);
    };
    // What becomes of calls that were written when the connection was lost is said once for all: see OutboundCalls.
    wire.send({ reply, lost: () => undefined }, (writer) => {
      writer
        .begin(3)
        .argument("PUBLISH")
        .argument(inboxChannel(server.slice(0, server.indexOf("."))))
        .argument(bytes);
    });
  }
}
