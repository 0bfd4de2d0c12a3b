import type { CallControl, CallRequest, InboundCall, ReplyFrame } from "@quadrant/contract";
import { IdTable } from "@quadrant/contract";

/** Who serves it here. */
interface Host<S> {
  reply(call: ServedCall<S>, frame: ReplyFrame): void;
  refuse(call: ServedCall<S>): void;
}

/** One call that is served here, until it has its reply, is refused, or its caller has given up. */
export class ServedCall<S> implements InboundCall {
  readonly #host: Host<S>;
  readonly caller: string;
  /** The caller's number of it. */
  readonly id: number;
  readonly request: CallRequest;
  readonly server: S;
  /** As it came, to be passed on: servers that have refused it, and what was sent. */
  readonly refusedBy: string;
  readonly packed: Buffer;
  readonly startedAt: number = performance.now();
  control: CallControl | undefined;
  /** How many frames it had. */
  order = 0;
  over = false;

  constructor(
    host: Host<S>,
    { caller, id, request }: { readonly caller: string; readonly id: number; readonly request: CallRequest },
    server: S,
    refusedBy: string,
    packed: Buffer,
  ) {
    this.#host = host;
    this.caller = caller;
    this.id = id;
    this.request = request;
    this.server = server;
    this.refusedBy = refusedBy;
    this.packed = packed;
  }

  reply(frame: ReplyFrame): void {
    if (!this.over) this.#host.reply(this, frame);
  }

  refuse(): void {
    if (!this.over) this.#host.refuse(this);
  }

  onControl(control: CallControl): void {
    if (!this.over) this.control = control;
  }
}

/** Calls that are served here, by caller and the caller's number. */
export class ServedCalls<S> {
  readonly #byCaller = new Map<string, IdTable<ServedCall<S>>>();

  get size(): number {
    let size = 0;
    for (const calls of this.#byCaller.values()) size += calls.size;
    return size;
  }

  /** Those who have one under way; others are forgotten. */
  callers(): readonly string[] {
    for (const [caller, calls] of this.#byCaller) if (calls.size === 0) this.#byCaller.delete(caller);
    return [...this.#byCaller.keys()];
  }

  add(call: ServedCall<S>): void {
    let calls = this.#byCaller.get(call.caller);
    if (calls === undefined) {
      calls = new IdTable();
      this.#byCaller.set(call.caller, calls);
    }
    calls.set(call.id, call);
  }

  get(caller: string, id: number): ServedCall<S> | undefined {
    return this.#byCaller.get(caller)?.get(id);
  }

  /** False where it was over. */
  end(call: ServedCall<S>): boolean {
    if (call.over) return false;
    call.over = true;
    this.#byCaller.get(call.caller)?.delete(call.id);
    return true;
  }

  of(caller: string): readonly ServedCall<S>[] {
    return [...(this.#byCaller.get(caller)?.values() ?? [])];
  }

  all(): readonly ServedCall<S>[] {
    return [...this.#byCaller.values()].flatMap((calls) => [...calls.values()]);
  }
}
