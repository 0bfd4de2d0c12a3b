import { Catalog } from "./catalog.ts";
import type { Owner } from "./owner.ts";
import type { RevocableTuples } from "./session.ts";
import type { Setting } from "./setting.ts";
import { Space } from "./space.ts";

/** The tuple spaces of an engine. */
export class SpaceTable {
  readonly #setting: Setting;
  readonly #spaces: Catalog<Space>;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#spaces = new Catalog(setting, "space", (name) => new Space(setting, name, {}));
  }

  names(): string[] {
    return this.#spaces.names();
  }

  /** The capability as one session has it. */
  facet(owner: Owner): RevocableTuples {
    const at = (name: string): Space => this.#spaces.obtain(name);
    return {
      open: (name, spec) =>
        owner.run(() => {
          const found = this.#spaces.find(name);
          if (found === undefined) this.#spaces.add(name, new Space(this.#setting, name, spec));
          else found.assertSame(spec);
        }),
      out: (name, tuple, leaseMs, wait) => owner.run(() => at(name).out(owner, tuple, leaseMs, wait)),
      outMany: (name, tuples, leaseMs) => owner.run(() => at(name).outMany(tuples, leaseMs)),
      take: (name, template, wait) => owner.run(() => at(name).take(owner, template, wait)),
      takeRevocable: (name, template, wait) => owner.run(() => at(name).takeRevocable(owner, template, wait)),
      read: (name, template, wait) => owner.run(() => at(name).read(owner, template, wait)),
      takeNow: (name, template) => owner.run(() => at(name).takeNow(template)),
      readNow: (name, template) => owner.run(() => at(name).readNow(template)),
      takeMany: (name, template, max) => owner.run(() => at(name).takeMany(template, max).tuples),
      takeManyRevocable: (name, template, max) => owner.run(() => at(name).takeMany(template, max)),
      readAll: (name, template) => owner.run(() => at(name).readAll(template)),
      count: (name, template) => owner.run(() => at(name).count(template)),
      claim: (name, template, leaseMs, wait) => owner.run(() => at(name).claim(owner, template, leaseMs, wait)),
      settleClaim: (name, settlement) =>
        owner.run(() => {
          const space = this.#spaces.find(name);
          if (space !== undefined) return space.settleClaim(owner, settlement);
          return this.#setting.fault("stale", `there is no space ${name} any more`);
        }),
      renew: (name, id, leaseMs) => owner.run(() => at(name).renew(id, leaseMs)),
      cancel: (name, id) => owner.run(() => this.#spaces.find(name)?.cancel(id)),
      destroy: (name) => owner.run(() => this.#spaces.remove(name)?.destroy(this.#spaces.destroyedError(name))),
    };
  }

  describe(): Record<string, number> {
    const total = { spaces: this.#spaces.size, tuples: 0, claims: 0, waiters: 0, forms: 0, buckets: 0 };
    for (const space of this.#spaces) {
      const { tuples, claims, waiters, forms, buckets } = space.describe();
      total.tuples += tuples;
      total.claims += claims;
      total.waiters += waiters;
      total.forms += forms;
      total.buckets += buckets;
    }
    return total;
  }
}
