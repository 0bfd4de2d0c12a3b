import { type Envelope, encodeTemplate, encodeTuple, type QueueLetter } from "@quadrant/contract";
import { Engine } from "./engine.ts";
import { MemoryJournal } from "./memory-journal.ts";
import type { EngineSession } from "./session.ts";
import type { EngineOptions } from "./setting.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** For the tests: an engine on a virtual clock, and things to put into it. */
export interface Trial {
  readonly clock: VirtualClock;
  readonly engine: Engine;
  readonly session: EngineSession;
}

export function startTrial(random: () => number = Math.random): Trial {
  const clock = new VirtualClock();
  const engine = new Engine({ clock, random });
  return { clock, engine, session: engine.connect("trial") };
}

/** An engine over a journal, on a virtual clock; `restart` kills its process and starts another on what was committed. */
export interface KeptTrial extends Trial {
  readonly journal: MemoryJournal;
  restart(): Promise<KeptTrial>;
}

export async function startKeptTrial(
  journal: MemoryJournal = new MemoryJournal(),
  clock: VirtualClock = new VirtualClock(),
  options: EngineOptions = {},
): Promise<KeptTrial> {
  const engine = await Engine.recover(journal, { clock, ...options });
  return {
    clock,
    engine,
    session: engine.connect("trial"),
    journal,
    restart: () => {
      const next = journal.kill();
      // Its timers end with it; what it would still commit is lost.
      void engine.close();
      return startKeptTrial(next, clock, options);
    },
  };
}

export function envelope(subject: string, text: string = ""): Envelope {
  return { subject, headers: {}, contentType: "text/plain", body: new TextEncoder().encode(text) };
}

export function letter(id: string, options: Partial<QueueLetter> = {}): QueueLetter {
  const { headers, contentType, body } = envelope("", id);
  return { id, dedupe: false, headers, contentType, body, ...options };
}

export function bodyOf({ body }: { readonly body: Uint8Array }): string {
  return new TextDecoder().decode(body);
}

/** What a promise has come to after everything that can happen now has happened. */
export async function outcome<T>(
  promise: Promise<T>,
): Promise<"pending" | { readonly value: T } | { readonly code: unknown }> {
  let state: "pending" | { value: T } | { code: unknown } = "pending";
  promise.then(
    (value) => {
      state = { value };
    },
    (error: { readonly code?: unknown }) => {
      state = { code: error.code };
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return state;
}

export const tuple: (value: unknown) => string = encodeTuple;
export const template: (value: unknown) => string = encodeTemplate;
