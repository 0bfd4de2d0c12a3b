import { Batch } from "../wire/batch.ts";
import { readData, stampData } from "../wire/packet.ts";

/** A batch is closed and goes out once it holds this much; a larger record makes a larger packet. */
const batchBytes = 32_768;
/** What may be on its way unacknowledged; beyond it, records wait in batches here. */
export const windowBytes: number = 4 * 1024 * 1024;
/** A standalone acknowledgement is owed after this many bytes, or packets, without one. */
const ackAfterBytes = 262_144;
const ackAfterPackets = 32;

/**
 * One end of a session: numbered packets, kept until the peer has acknowledged them and sent again after a reconnect, so
 * that each record arrives once and in order as long as the session lives, over however many connections. The scheme is
 * that of XMPP's stream management (XEP-0198): number, acknowledge cumulatively, resume.
 *
 * The transport pulls: `next` gives the packet to send now, if any. Bounds: windowBytes unacknowledged; what waits
 * (`pendingBytes`) is bounded by whoever writes.
 */
export class Link {
  #open = new Batch();
  #closed: Batch[] = [];
  #closedBytes = 0;
  #closedHeldBytes = 0;
  #unacknowledged: Batch[] = [];
  #unacknowledgedBytes = 0;
  /** How many of `#unacknowledged` are to be sent again. */
  #resend = 0;
  #lastSent = 0;
  #lastReceived = 0;
  /** The last packet whose records were dealt with. */
  #lastTaken = 0;
  #owedBytes = 0;
  #owedPackets = 0;
  /** Packets that are not to be acknowledged yet, in their order, each as often as that was asked. */
  readonly #withheld = new Set<{ readonly sequence: number }>();

  /** The batch to write a record into: `link.write().begin(kind)…end()`, then tell the transport. */
  write(): Batch {
    if (this.#open.length >= batchBytes) this.#close();
    return this.#open;
  }

  #close(): void {
    this.#closed.push(this.#open);
    this.#count(this.#open, 1);
    this.#open = new Batch(this.#open.length);
  }

  /** One more, or one less, of those that are closed. */
  #count(batch: Batch, sign: 1 | -1): void {
    this.#closedBytes += sign * batch.length;
    this.#closedHeldBytes += sign * batch.heldBytes;
  }

  /** Bytes that wait here, not yet handed to the socket. */
  get pendingBytes(): number {
    return this.#closedBytes + (this.#open.empty ? 0 : this.#open.length);
  }

  /** What waits here, and what is kept until the peer acknowledges it, take so much memory. */
  get heldBytes(): number {
    return this.#closedHeldBytes + this.#open.heldBytes + this.#unacknowledgedBytes;
  }

  /** What is kept until the peer acknowledges it takes so much memory. */
  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes;
  }

  /** The last packet that was dealt with and is not withheld: what is acknowledged. */
  get received(): number {
    const [first] = this.#withheld;
    return first === undefined ? this.#lastTaken : Math.min(this.#lastTaken, first.sequence - 1);
  }

  /**
   * The packet that is being dealt with is not acknowledged until the returned function is called: what is written in
   * answer to it may stand behind packets that are sent, or sent again, before it.
   */
  withhold(): () => void {
    const withheld = { sequence: this.#lastReceived };
    this.#withheld.add(withheld);
    return () => void this.#withheld.delete(withheld);
  }

  /** Whether `next` would give a packet. */
  get ready(): boolean {
    if (this.#resend > 0) return true;
    if (this.#closed.length === 0 && this.#open.empty) return false;
    return this.#unacknowledgedBytes === 0 || this.#unacknowledgedBytes < windowBytes;
  }

  /** The packet to send now, numbered and acknowledging what came. */
  next(): Batch | undefined {
    if (this.#resend > 0) {
      const again = this.#unacknowledged[this.#unacknowledged.length - this.#resend]!;
      this.#resend--;
      again.repeated = true;
      this.#stamp(again);
      return again;
    }
    if (!this.ready) return undefined;
    let batch = this.#closed.shift();
    if (batch === undefined) {
      batch = this.#open;
      // What is written next is likely to be about as much.
      this.#open = new Batch(Math.min(batch.length + (batch.length >> 2), batchBytes));
    } else this.#count(batch, -1);
    batch.sequence = ++this.#lastSent;
    batch.close();
    this.#unacknowledged.push(batch);
    this.#unacknowledgedBytes += batch.heldBytes;
    this.#stamp(batch);
    return batch;
  }

  #stamp(batch: Batch): void {
    stampData(batch.packet(), batch.sequence, this.received);
    this.#owedBytes = 0;
    this.#owedPackets = 0;
  }

  /**
   * The socket refused the batch that `next` gave last. The peer has none of it, and it is pending again; unless it had
   * been sent before, when the peer may have it: then it keeps its number and is sent once more.
   */
  unsend(batch: Batch): void {
    if (batch.repeated) {
      const at = this.#unacknowledged.indexOf(batch);
      if (at !== -1) this.#resend = Math.max(this.#resend, this.#unacknowledged.length - at);
      return;
    }
    if (this.#unacknowledged.at(-1) !== batch || this.#resend > 0) return;
    this.#unacknowledged.pop();
    this.#unacknowledgedBytes -= batch.heldBytes;
    this.#lastSent--;
    batch.sequence = 0;
    this.#closed.unshift(batch);
    this.#count(batch, 1);
  }

  /** What the peer has: those batches are forgotten. */
  acknowledge(sequence: number): void {
    let count = 0;
    while (count < this.#unacknowledged.length && this.#unacknowledged[count]!.sequence <= sequence) count++;
    if (count === 0) return;
    for (const batch of this.#unacknowledged.splice(0, count)) {
      this.#unacknowledgedBytes -= batch.heldBytes;
      batch.markAcknowledged();
    }
    this.#resend = Math.min(this.#resend, this.#unacknowledged.length);
  }

  /**
   * A data packet came: "take" it, "repeat" when it was here before, "broken" when one is missing or it is malformed and
   * the connection has to be made anew. After "take" the caller deals with its records, then calls `taken`, then hands
   * what it acknowledges to `acknowledge`: what is written in answer to a record leaves no later than its acknowledgement.
   */
  accept(packet: Buffer): "take" | "repeat" | "broken" {
    const header = readData(packet);
    if (header === undefined) return "broken";
    this.#owedBytes += packet.length;
    this.#owedPackets++;
    if (header.sequence <= this.#lastReceived) return "repeat";
    if (header.sequence !== this.#lastReceived + 1) return "broken";
    this.#lastReceived = header.sequence;
    return "take";
  }

  /** The records of the packet that `accept` took have been dealt with. */
  taken(): void {
    this.#lastTaken = this.#lastReceived;
  }

  /** Whether an acknowledgement should go out by itself now. */
  get owesAck(): boolean {
    return this.#owedBytes >= ackAfterBytes || this.#owedPackets >= ackAfterPackets;
  }

  /** An acknowledgement has gone out by itself. */
  acked(): void {
    this.#owedBytes = 0;
    this.#owedPackets = 0;
  }

  /** The session goes on over a new connection: what the peer lacks is sent again, in order. */
  resume(peerReceived: number): void {
    this.acknowledge(peerReceived);
    this.#resend = this.#unacknowledged.length;
  }

  /**
   * The session is lost: numbering begins anew, what the old one had sent is forgotten. What was never sent stays, behind
   * what `first` writes.
   */
  restart(first: () => void): void {
    this.#unacknowledged = [];
    this.#unacknowledgedBytes = 0;
    this.#resend = 0;
    this.#lastSent = 0;
    this.#lastReceived = 0;
    this.#lastTaken = 0;
    this.#withheld.clear();
    this.acked();
    const waiting = this.#open.empty ? this.#closed : [...this.#closed, this.#open];
    this.#open = new Batch();
    this.#closed = [];
    this.#closedBytes = 0;
    this.#closedHeldBytes = 0;
    first();
    if (!this.#open.empty) this.#close();
    for (const batch of waiting) {
      this.#closed.push(batch);
      this.#count(batch, 1);
    }
  }
}
