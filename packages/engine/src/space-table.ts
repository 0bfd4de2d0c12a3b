import { compileParts, compileTemplate, type DirectTuples } from "@quadrant/contract";
import { Catalog } from "./catalog.ts";
import type { Owner } from "./owner.ts";
import type { RevocableTuples } from "./session.ts";
import type { Setting } from "./setting.ts";
import { Space } from "./space.ts";
import { encodeSpace } from "./space-row.ts";

/** The tuple spaces of an engine. */
export class SpaceTable {
  readonly #setting: Setting;
  readonly spaces: Catalog<Space>;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.spaces = new Catalog(setting, "space", (name) => new Space(setting, name, {}), encodeSpace);
  }

  names(): string[] {
    return this.spaces.names();
  }

  /** The capability as one session has it. */
  facet(owner: Owner): RevocableTuples {
    const at = (name: string): Space => this.spaces.obtain(name);
    return {
      open: (name, spec) =>
        owner.durably(() => {
          const found = this.spaces.find(name);
          if (found !== undefined) {
            found.assertSame(spec);
            return;
          }
          const wasThere = this.spaces.isDestroyed(name);
          const space = new Space(this.#setting, name, spec);
          this.spaces.add(name, space);
          if (wasThere) space.beginAnew();
        }),
      out: (name, tuple, leaseMs, wait) => owner.durably(() => at(name).out(owner, tuple, leaseMs, wait)),
      outMany: (name, tuples, leaseMs) => owner.durably(() => at(name).outMany(tuples, leaseMs)),
      take: (name, template, wait) => owner.durably(() => at(name).take(owner, compileTemplate(template), wait)),
      takeRevocable: (name, template, wait, ticket) =>
        owner.durably(() => at(name).takeRevocable(owner, compileTemplate(template), wait, ticket)),
      read: (name, template, wait) => owner.durably(() => at(name).read(owner, compileTemplate(template), wait)),
      takeNow: (name, template) => owner.durably(() => at(name).takeNow(compileTemplate(template))),
      readNow: (name, template) => owner.durably(() => at(name).readNow(compileTemplate(template))),
      takeMany: (name, template, max) =>
        owner.durably(() => at(name).takeMany(compileTemplate(template), max, undefined).tuples),
      takeManyRevocable: (name, template, max, ticket) =>
        owner.durably(() => at(name).takeMany(compileTemplate(template), max, ticket)),
      takeAll: (name, templates, wait) =>
        owner.durably(() => {
          const taken = at(name).takeAll(owner, templates.map(compileTemplate), wait, undefined);
          return taken instanceof Promise ? taken.then(({ tuples }) => tuples) : taken.tuples;
        }),
      takeAllRevocable: (name, templates, wait, ticket) =>
        owner.durably(() => at(name).takeAll(owner, templates.map(compileTemplate), wait, ticket)),
      readAll: (name, template) => owner.durably(() => at(name).readAll(compileTemplate(template))),
      count: (name, template) => owner.durably(() => at(name).count(compileTemplate(template))),
      collect: (name, template, target, keep) =>
        owner.durably(() => at(name).collect(compileTemplate(template), at(target), keep)),
      explain: (name, template) => owner.durably(() => at(name).explain(compileTemplate(template))),
      watch: (name, request) => owner.durably(() => at(name).watch(owner, compileTemplate(request.template), request)),
      claim: (name, template, leaseMs, wait) =>
        owner.durably(() => at(name).claim(owner, compileTemplate(template), leaseMs, wait)),
      settleClaim: (name, settlement) =>
        owner.durably(() => {
          const space = this.spaces.find(name);
          if (space !== undefined) return space.settleClaim(owner, settlement);
          return this.#setting.fault("stale", `there is no space ${name} any more`);
        }),
      renew: (name, id, leaseMs) => owner.durably(() => at(name).renew(id, leaseMs)),
      cancel: (name, id) => owner.durably(() => this.spaces.find(name)?.cancel(id)),
      destroy: (name) => owner.durably(() => this.spaces.remove(name)?.destroy(this.spaces.destroyedError(name))),
    };
  }

  directFacet(owner: Owner): DirectTuples {
    const at = (name: string): Space => this.spaces.obtain(name);
    return {
      out: (name, tuple, leaseMs, wait) => owner.answer(() => at(name).out(owner, tuple, leaseMs, wait)),
      take: (name, template, wait) => owner.answer(() => at(name).take(owner, compileParts(template), wait)),
      read: (name, template, wait) => owner.answer(() => at(name).read(owner, compileParts(template), wait)),
      takeNow: (name, template) => owner.answer(() => at(name).takeNow(compileParts(template))),
      readNow: (name, template) => owner.answer(() => at(name).readNow(compileParts(template))),
    };
  }

  describe(): Record<string, number> {
    const total = { spaces: this.spaces.size, tuples: 0, claims: 0, waiters: 0, forms: 0, buckets: 0 };
    for (const space of this.spaces) {
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
