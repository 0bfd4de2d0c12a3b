import type { ReplyFrame } from "@quadrant/contract";
import { Gathering } from "./link/gathering.ts";
import type { Link } from "./link/link.ts";
import { controlKey } from "./link/session.ts";
import { slotOf } from "./link/slots.ts";
import { inboxChannel } from "./names.ts";
import { type CallWord, packFrame, packWord, wordsKind } from "./pack/calls.ts";
import { Packing } from "./pack/packing.ts";
import type { Reply } from "./resp/reply-reader.ts";

const controlSlot = slotOf(controlKey);
/** Words for one client leave before the turn ends once they are so much: see Wire. */
const gatheredBytes = 4_096;
/** What may wait for a server that is gone; more is dropped, as its callers are told by then. */
const waitingBytes = 16_777_216;

interface Letter {
  readonly client: string;
  readonly bytes: Buffer;
}

/** Words from client to client: those of one turn for one client leave together. */
export class Mail {
  readonly #link: Link;
  /** Nobody hears that client any more. */
  readonly #gone: (client: string) => void;
  /** A new one each time: one that is cleared links its old tables to the new, and what was in them lives on. */
  #open = new Map<string, Packing>();
  readonly #spare: Packing[] = [];
  /** Until there is a connection, or sent and not answered for when it was lost. */
  #waiting: Letter[] = [];
  #waitingBytes = 0;
  readonly #gathering = new Gathering(() => this.flush());

  constructor(link: Link, gone: (client: string) => void) {
    this.#link = link;
    this.#gone = gone;
  }

  send(client: string, word: CallWord): void {
    const packing = this.#packingFor(client);
    packWord(packing, word);
    this.#gathering.add(packing.size >= gatheredBytes);
  }

  /** The frame of a reply; `order` counts those of a call. */
  sendFrame(client: string, id: number, order: number, frame: ReplyFrame): void {
    const packing = this.#packingFor(client);
    packFrame(packing, id, order, frame);
    this.#gathering.add(packing.size >= gatheredBytes);
  }

  #packingFor(client: string): Packing {
    let packing = this.#open.get(client);
    if (packing === undefined) {
      packing = (this.#spare.pop() ?? new Packing()).byte(wordsKind);
      this.#open.set(client, packing);
    }
    return packing;
  }

  flush(): void {
    if (this.#open.size === 0) return;
    const open = this.#open;
    this.#open = new Map();
    for (const [client, packing] of open) {
      const letter = { client, bytes: packing.take() };
      if (this.#spare.length < 64) this.#spare.push(packing);
      if (this.#link.ready) this.#post(letter);
      else this.#wait(letter);
    }
  }

  #post(letter: Letter): void {
    const wire = this.#link.session?.wireFor(controlSlot);
    if (wire === undefined) {
      this.#wait(letter);
      return;
    }
    const reply = (heard: Reply): void => {
      if (heard === 0) this.#gone(letter.client);
    };
    const lost = (): void => this.#wait(letter);
    wire.send({ reply, lost }, (writer) => {
      writer.begin(3).argument("PUBLISH").argument(inboxChannel(letter.client)).argument(letter.bytes);
    });
  }

  #wait(letter: Letter): void {
    if (this.#waitingBytes + letter.bytes.length > waitingBytes) return;
    this.#waiting.push(letter);
    this.#waitingBytes += letter.bytes.length;
  }

  /** There is a connection again. */
  ready(): void {
    this.#waitingBytes = 0;
    for (const letter of this.#waiting.splice(0)) this.#post(letter);
  }
}
