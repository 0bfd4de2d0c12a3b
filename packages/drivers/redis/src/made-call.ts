import type { OutboundCall, ReplySink } from "@quadrant/contract";
import type { Asked } from "./request.ts";
import type { Argument } from "./resp/command-writer.ts";

/** Who makes calls. */
interface Maker {
  credit(call: MadeCall, items: number): void;
  cancel(call: MadeCall): void;
}

/** One call made here, until it has its reply. */
export class MadeCall implements OutboundCall {
  readonly #maker: Maker;
  readonly id: number;
  readonly address: string;
  readonly replies: ReplySink;
  batch: CallBatch | undefined;
  /** The client that it was sent to, before it is known whether that has it. */
  towards: string | undefined;
  /** The client that serves it, as far as is known. */
  server: string | undefined;
  /** Credit granted before the server was known. */
  granted = 0;
  cancelled = false;
  order = 0;

  constructor(maker: Maker, id: number, address: string, replies: ReplySink) {
    this.#maker = maker;
    this.id = id;
    this.address = address;
    this.replies = replies;
  }

  credit(items: number): void {
    this.#maker.credit(this, items);
  }

  cancel(): void {
    this.#maker.cancel(this);
  }
}

/** Calls that are placed together. */
export interface CallBatch {
  readonly calls: MadeCall[];
  readonly values: Argument[];
  bytes: number;
  asked: Asked | undefined;
}
