import type { BusError, Envelope, Registration, TopicSink, Topics } from "@quadrant/contract";
import type { Interest, Owner } from "./owner.ts";
import { SubjectTrie } from "./trie.ts";

/** Where a message goes: a subscription, or a group of them. */
interface Target {
  deliver(batch: readonly Envelope[]): void;
}

/** Subscriptions that share what comes under one pattern, each message to one of them in turn. */
class Group implements Target {
  readonly members: TopicSink[] = [];
  #turn = 0;

  deliver(batch: readonly Envelope[]): void {
    const count = this.members.length;
    const first = this.#turn < count ? this.#turn : 0;
    let at = first;
    while (this.members[at]?.available?.() === false) {
      at = (at + 1) % count;
      // None is better than another: it stays whose turn it is.
      if (at === first) break;
    }
    this.#turn = at + 1;
    this.members[at]?.deliver(batch);
  }

  remove(member: TopicSink): void {
    const at = this.members.indexOf(member);
    if (at === -1) return;
    this.members.splice(at, 1);
    if (at < this.#turn) this.#turn--;
  }
}

/** Subjects whose subscriptions are remembered. */
const maxRoutes = 1_024;

/**
 * Live publish and subscribe: nothing is kept, what is published reaches the sinks of the moment in the same turn.
 * A group is a name and a pattern: one name on two patterns is two groups.
 */
export class TopicTable {
  readonly #trie = new SubjectTrie<Target>();
  readonly #groups = new Map<string, Group>();
  /** What matched subjects that were published to, until a subscription comes or goes. */
  readonly #routes = new Map<string, readonly Target[]>();
  #subscriptions = 0;
  #published = 0;

  /** The capability as one session has it. */
  facet(owner: Owner): Topics {
    return {
      publish: (envelope) => this.#publish(owner, envelope),
      subscribe: (pattern, group, sink) => owner.run(() => this.#subscribe(owner, pattern, group, sink)),
    };
  }

  describe(): Record<string, number> {
    return {
      subscriptions: this.#subscriptions,
      groups: this.#groups.size,
      patterns: this.#trie.size,
      published: this.#published,
    };
  }

  #publish(owner: Owner, envelope: Envelope): Promise<void> | undefined {
    if (owner.closed) return Promise.reject(owner.closedError());
    this.#published++;
    const targets = this.#routes.get(envelope.subject) ?? this.#route(envelope.subject);
    if (targets.length === 0) return undefined;
    const batch = [envelope];
    for (const target of targets) target.deliver(batch);
    return undefined;
  }

  #route(subject: string): readonly Target[] {
    const targets: Target[] = [];
    this.#trie.match(subject, (target) => targets.push(target));
    if (this.#routes.size >= maxRoutes) this.#routes.clear();
    this.#routes.set(subject, targets);
    return targets;
  }

  #subscribe(owner: Owner, pattern: string, group: string | undefined, sink: TopicSink): Registration {
    // A wrapper of its own: the same sink may be given twice.
    const member: TopicSink = {
      deliver: (batch) => sink.deliver(batch),
      lost: (count) => sink.lost(count),
      end: (error) => sink.end(error),
      available: () => sink.available?.() ?? true,
    };
    const leave = group === undefined ? this.#join(pattern, member) : this.#joinGroup(pattern, group, member);
    this.#subscriptions++;
    let gone = false;
    const close = (): void => {
      if (gone) return;
      gone = true;
      this.#subscriptions--;
      owner.interests.delete(interest);
      leave();
    };
    const interest: Interest = {
      end: (error: BusError) => {
        close();
        member.end(error);
      },
    };
    owner.interests.add(interest);
    return {
      close: () => {
        close();
        return Promise.resolve();
      },
    };
  }

  #join(pattern: string, member: TopicSink): () => void {
    this.#trie.add(pattern, member);
    this.#routes.clear();
    return () => {
      this.#trie.remove(pattern, member);
      this.#routes.clear();
    };
  }

  #joinGroup(pattern: string, name: string, member: TopicSink): () => void {
    const key = `${name} ${pattern}`;
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group();
      this.#groups.set(key, group);
      this.#trie.add(pattern, group);
      this.#routes.clear();
    }
    const joined = group;
    joined.members.push(member);
    return () => {
      joined.remove(member);
      if (joined.members.length > 0) return;
      this.#groups.delete(key);
      this.#trie.remove(pattern, joined);
      this.#routes.clear();
    };
  }
}
