import { BusError, checkPattern, matchesSubject } from "@quadrant/contract";
import { Operation } from "../wire/operation.ts";
import type { Values } from "../wire/values.ts";
import { coversPattern } from "./pattern-cover.ts";

/** Patterns of subjects, addresses and names that may be used; absent means all. */
export interface Permissions {
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly logs?: readonly string[];
  readonly mailboxes?: readonly string[];
  readonly spaces?: readonly string[];
  readonly blobs?: readonly string[];
  readonly serve?: readonly string[];
  readonly call?: readonly string[];
}

export type Right = keyof Permissions;

const rights: readonly Right[] = ["publish", "subscribe", "logs", "mailboxes", "spaces", "blobs", "serve", "call"];

/** What each right lets its holder do, for messages. */
const doing: Readonly<Record<Right, string>> = {
  publish: "publish",
  subscribe: "subscribe to",
  logs: "use the log",
  mailboxes: "use the mailbox",
  spaces: "use the space",
  blobs: "use the blob store",
  serve: "serve",
  call: "call",
};

export function denied(right: Right, name: string): BusError {
  const message = `this client's key may not ${doing[right]} ${name}: let the hub's operator add it to "${right}"`;
  return new BusError("denied", message, { driver: "zeromq" });
}

/** Decisions remembered for each right: clients repeat themselves. */
const maxRemembered = 4_096;

/** What one key may do. A session without one may do everything: there is one undefined check in its way. */
export class Grants {
  readonly #patterns: ReadonlyMap<Right, readonly string[]>;
  readonly #remembered = new Map<Right, Map<string, boolean>>();

  private constructor(patterns: ReadonlyMap<Right, readonly string[]>) {
    this.#patterns = patterns;
  }

  /** undefined where everything is allowed; throws "invalid" for what are no permissions. `what` names whose they are. */
  static of(what: string, permissions: Permissions): Grants | undefined {
    const invalid = (why: string): never => {
      throw new BusError("invalid", `permissions of ${what}: ${why}`, { driver: "zeromq" });
    };
    if (typeof permissions !== "object" || permissions === null || Array.isArray(permissions)) {
      invalid("give an object, such as {} or { publish: [pattern] }");
    }
    const patterns = new Map<Right, readonly string[]>();
    for (const [name, list] of Object.entries(permissions)) {
      const right = rights.find((each) => each === name);
      if (right === undefined) return invalid(`"${name}" is none of ${rights.join(", ")}`);
      if (list === undefined) continue;
      if (!Array.isArray(list)) return invalid(`"${name}" is no list of patterns`);
      for (const pattern of list) checkPattern("pattern", pattern);
      patterns.set(right, [...list]);
    }
    return patterns.size === 0 ? undefined : new Grants(patterns);
  }

  /** Whether a subject, address or other name without wildcards is allowed. */
  allows(right: Right, name: string): boolean {
    const patterns = this.#patterns.get(right);
    if (patterns === undefined) return true;
    const remembered = this.#rememberedOf(right);
    let allowed = remembered.get(name);
    if (allowed === undefined) {
      allowed = patterns.some((pattern) => matchesSubject(pattern, name));
      if (remembered.size >= maxRemembered) remembered.clear();
      remembered.set(name, allowed);
    }
    return allowed;
  }

  #rememberedOf(right: Right): Map<string, boolean> {
    let remembered = this.#remembered.get(right);
    if (remembered === undefined) {
      remembered = new Map();
      this.#remembered.set(right, remembered);
    }
    return remembered;
  }

  /** Throws "denied". */
  check(right: Right, name: string): void {
    if (!this.allows(right, name)) throw denied(right, name);
  }

  /** Throws "denied" unless one allowed pattern covers all that `pattern` matches. */
  checkPattern(pattern: string): void {
    const patterns = this.#patterns.get("subscribe");
    if (patterns === undefined || patterns.some((allowed) => coversPattern(allowed, pattern))) return;
    throw denied("subscribe", pattern);
  }

  /** Throws "denied" where a request may not be made; "invalid" where it cannot be read. */
  checkRequest(operation: number, values: Values): void {
    if (operation === Operation.subscribe) this.checkPattern(values.string(1));
    else if (operation === Operation.serve) this.check("serve", values.values(1).string(0));
    else {
      if (operation === Operation.spaceCollect) this.check("spaces", values.string(2));
      const right = rightOf(operation);
      if (right !== undefined) this.check(right, values.string(0));
    }
  }
}

/** Which right an operation needs whose first value is the name that it is about. */
function rightOf(operation: number): Right | undefined {
  if (operation >= Operation.queueOpen && operation <= Operation.queueDestroy) return "mailboxes";
  if (operation >= Operation.logOpen && operation <= Operation.durableRedrive) return "logs";
  if (operation >= Operation.spaceOpen && operation <= Operation.spaceWatch) return "spaces";
  if (operation >= Operation.blobsOpen && operation <= Operation.blobsDestroy) return "blobs";
  return undefined;
}
