import { CallTable } from "./call-table.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Journal } from "./journal.ts";
import { LogTable } from "./log-table.ts";
import { Owner } from "./owner.ts";
import { QueueTable } from "./queue-table.ts";
import { Recovery } from "./recovery.ts";
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

  /** `commits`: see `recover`. */
  constructor(options: EngineOptions = {}, commits?: GroupCommit) {
    const setting = new Setting(options, commits);
    this.#setting = setting;
    this.#topics = new TopicTable();
    this.#queues = new QueueTable(setting);
    this.#logs = new LogTable(setting);
    this.#spaces = new SpaceTable(setting);
    this.#calls = new CallTable(setting);
  }

  /**
   * An engine whose mailboxes, logs and spaces outlive it: what was acknowledged is in the journal, and an engine that is
   * recovered from it goes on where the last one ended, with its leases running. Nobody may use the journal besides.
   * Rejects with what the journal says, "unavailable" where its rows make no sense.
   */
  static async recover(journal: Journal, options: EngineOptions = {}): Promise<Engine> {
    const commits = new GroupCommit(journal, options.commitTimeoutMs ?? 5_000, options.driver);
    const engine = new Engine(options, commits);
    const { queues } = engine.#queues;
    const recovery = new Recovery(engine.#setting, { queues, logs: engine.#logs.logs, spaces: engine.#spaces.spaces });
    await commits.recover(async () => {
      const freeBytes = await journal.load((row, data) => {
        commits.found(row);
        recovery.row(row, data);
      });
      return { orphans: await recovery.finish(), freeBytes };
    });
    return engine;
  }

  connect(name: string = ""): EngineSession {
    const owner = new Owner(this.#setting, name);
    this.#owners.add(owner);
    const names = {
      mailbox: () => this.#queues.names(),
      log: () => this.#logs.names(),
      space: () => this.#spaces.names(),
    };
    const catalogs = { mailbox: this.#queues.queues, log: this.#logs.logs, space: this.#spaces.spaces };
    const end = (keepLoans: boolean): void => {
      this.#owners.delete(owner);
      owner.close(keepLoans);
    };
    return {
      topics: this.#topics.facet(owner),
      queues: this.#queues.facet(owner),
      logs: this.#logs.facet(owner),
      tuples: this.#spaces.facet(owner),
      directTuples: this.#spaces.directFacet(owner),
      calls: this.#calls.facet(owner),
      list: (kind) => names[kind](),
      isDestroyed: (kind, name) => catalogs[kind].isDestroyed(name),
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
      ...(this.#setting.commits === undefined ? {} : { journal: this.#setting.commits.describe() }),
    };
  }

  /**
   * Closes all sessions; nothing of it is left running. Resolves once the journal, where there is one, has all of it and is
   * let go of; without one all is done when it returns. Idempotent, never rejects.
   */
  async close(): Promise<void> {
    for (const owner of [...this.#owners]) owner.close(false);
    this.#owners.clear();
    this.#setting.timers.close();
    await this.#setting.commits?.close();
  }
}
