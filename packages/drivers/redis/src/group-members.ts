import { BusError, isLiteral, type TopicSink } from "@quadrant/contract";
import { controlKey } from "./link/session.ts";
import { readPacket } from "./pack/packets.ts";
import type { Requests } from "./requests.ts";
import { numberOf } from "./resp/reply-reader.ts";
import { joinGroup, leaveGroup, passOn } from "./scripts/topics.ts";

interface Member {
  readonly pattern: string;
  readonly group: string;
  readonly sink: TopicSink;
  /** How many messages the server has sent it, as far as is known here. */
  sent: number;
}

/** Members of groups: the server's script picks one for each packet and tells it by this client's own channel. */
export class GroupMembers {
  readonly #requests: Requests;
  readonly #members = new Map<number, Member>();
  #next = 1;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  get size(): number {
    return this.#members.size;
  }

  #name(id: number): string {
    return `${this.#requests.client}.${id}`;
  }

  /** Returns what takes it away. */
  async join(pattern: string, group: string, sink: TopicSink): Promise<() => Promise<void>> {
    const id = this.#next++;
    const member = { pattern, group, sink, sent: 0 };
    // Before the server knows: its first message may be heard before its answer.
    this.#members.set(id, member);
    const leave = async (): Promise<void> => {
      if (!this.#members.delete(id)) return;
      const values = [pattern, group, this.#name(id)];
      const terms = { what: `leave the group ${group}`, writes: false };
      await this.#requests.run(leaveGroup, controlKey, values, terms).catch(() => undefined);
    };
    try {
      await this.#join(id, member, `subscribe to ${pattern}`);
    } catch (error) {
      void leave();
      throw error;
    }
    return leave;
  }

  async #join(id: number, { pattern, group }: Member, what: string, urgent: boolean = false): Promise<number> {
    const values = [pattern, group, this.#name(id), isLiteral(pattern) ? "0" : "1"];
    return numberOf(await this.#requests.run(joinGroup, controlKey, values, { what, writes: false, urgent }));
  }

  /** A packet for a member: "number sent from subject", a line end, and the packet. Returns how many messages it had. */
  message(word: Buffer): number {
    const end = word.indexOf(10);
    const [id, sent, from, subject] = word.toString("utf8", 1, end).split(" ");
    const member = this.#members.get(Number(id));
    if (member === undefined) return 0;
    const { envelopes } = readPacket(subject!, word, end + 1);
    const lost = Number(sent) - member.sent - envelopes.length;
    member.sent = Number(sent);
    if (lost > 0) member.sink.lost(lost);
    if (from === "-" && member.sink.available?.() === false) {
      this.#passOn(Number(id), member, subject!, envelopes.length, word.subarray(end + 1), () =>
        member.sink.deliver(envelopes),
      );
    } else member.sink.deliver(envelopes);
    return envelopes.length;
  }

  /** Has no room: another member gets it, or this one all the same where there is no other. */
  #passOn(id: number, member: Member, subject: string, count: number, packet: Buffer, keep: () => void): void {
    const values = [member.pattern, member.group, this.#name(id), subject, count, packet];
    const terms = { what: "pass a message on", writes: true };
    const kept = (): void => {
      if (this.#members.get(id) === member) keep();
    };
    this.#requests.run(passOn, controlKey, values, terms).then(
      (passed) => {
        if (passed !== 1) kept();
      },
      (error: unknown) => {
        // One that may have been passed on is not delivered twice.
        if (error instanceof BusError && error.code === "indefinite") member.sink.lost(count);
        else kept();
      },
    );
  }

  /** On a new connection. */
  async restore(): Promise<void> {
    const rejoin = async ([id, member]: [number, Member]): Promise<void> => {
      const sent = await this.#join(id, member, `subscribe to ${member.pattern} again`, true);
      const lost = sent - member.sent;
      member.sent = sent;
      if (lost > 0) member.sink.lost(lost);
    };
    await Promise.allSettled([...this.#members].map(rejoin));
  }

  /** Takes all away, so that nothing is sent to who is gone. */
  async close(): Promise<void> {
    const members = [...this.#members];
    this.#members.clear();
    const leave = ([id, { pattern, group }]: [number, Member]): Promise<unknown> => {
      const terms = { what: "leave a group", writes: false };
      return this.#requests.run(leaveGroup, controlKey, [pattern, group, this.#name(id)], terms);
    };
    await Promise.allSettled(members.map(leave));
  }
}
