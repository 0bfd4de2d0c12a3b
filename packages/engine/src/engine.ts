import { CallTable } from "./call-table.ts";
import { LogTable } from "./log-table.ts";
import { Owner } from "./owner.ts";
import { QueueTable } from "./queue-table.ts";
import type { EngineSession } from "./session.ts";
import { type EngineOptions, Setting } from "./setting.ts";
import { SpaceTable } from "./space-table.ts";
import { TopicTable } from "./topic-table.ts";

/**
 * The coordination engine: topics, mailboxes, logs, tuple spaces and calls of one process, without sockets. Every
 * operation matches or registers in the turn it is called in; names and options were checked above.
 */
export class Engine {
  readonly #setting: Setting;
  readonly #topics: TopicTable;
  readonly #queues: QueueTable;
  readonly #logs: LogTable;
  readonly #spaces: SpaceTable;
  readonly #calls: CallTable;
  readonly #owners = new Set<Owner>();

  constructor(options: EngineOptions = {}) {
    const setting = new Setting(options);
    this.#setting = setting;
    this.#topics = new TopicTable();
    this.#queues = new QueueTable(setting);
    this.#logs = new LogTable(setting);
    this.#spaces = new SpaceTable(setting);
    this.#calls = new CallTable(setting);
  }

  connect(name: string = ""): EngineSession {
    const owner = new Owner(this.#setting, name);
    this.#owners.add(owner);
    const names = {
      mailbox: () => this.#queues.names(),
      log: () => this.#logs.names(),
      space: () => this.#spaces.names(),
      blobs: () => [],
    };
    const end = (keepLoans: boolean): void => {
      this.#owners.delete(owner);
      owner.close(keepLoans);
    };
    return {
      topics: this.#topics.facet(owner),
      queues: this.#queues.facet(owner),
      logs: this.#logs.facet(owner),
      tuples: this.#spaces.facet(owner),
      calls: this.#calls.facet(owner),
      list: (kind) => names[kind](),
      close: () => end(false),
      abandon: () => end(true),
    };
  }

  /** Counts of everything, for `quadrant info`. */
  describe(): Record<string, unknown> {
    let interests = 0;
    let loans = 0;
    for (const owner of this.#owners) {
      interests += owner.interests.size;
      loans += owner.loans.size;
    }
    return {
      sessions: this.#owners.size,
      interests,
      loans,
      topics: this.#topics.describe(),
      mailboxes: this.#queues.describe(),
      logs: this.#logs.describe(),
      spaces: this.#spaces.describe(),
      calls: this.#calls.describe(),
      timers: this.#setting.timers.size,
    };
  }

  /** Closes all sessions; nothing of it is left running. Idempotent. */
  close(): void {
    for (const owner of [...this.#owners]) owner.close(false);
    this.#owners.clear();
    this.#setting.timers.close();
  }
}
