import { BusError } from "@quadrant/contract";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Incoming } from "./incoming.ts";
import type { Stored } from "./pub-ack.ts";
import type { RequestTerms } from "./request-table.ts";
import { Storing } from "./storing.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function message(headers: string, body: string): Incoming {
  const bytes = Buffer.from(headers + body);
  return new Incoming(bytes, 0, 0, 0, 0, 0, headers.length, bytes.length);
}

const nobody = message("NATS/1.0 503\r\n\r\n", "");
const stored = message("", '{"stream":"S", "seq":7}');
const timeoutMs = 1_000;

function storing(ask: (terms: RequestTerms) => void = () => undefined, clustered = false, limitMs = timeoutMs) {
  const outcome: { stored?: Stored; code?: string } = {};
  const body = Buffer.from("b");
  const order = { what: "append", subject: "s", body, headers: undefined, repeatable: true, clustered };
  const asked: RequestTerms[] = [];
  const tell = (terms: RequestTerms): void => {
    asked.push(terms);
    ask(terms);
  };
  const resolve = (result: Stored): void => {
    outcome.stored = result;
  };
  const reject = (error: unknown): void => {
    outcome.code = (error as BusError).code;
  };
  return { terms: new Storing(order, limitMs, tell, resolve, reject), outcome, asked };
}

describe("a message that no stream takes", () => {
  it("has failed, where it was sent once", () => {
    const { terms, outcome, asked } = storing();
    terms.answer(nobody, false);
    expect([outcome, asked]).toEqual([{ code: "unavailable" }, []]);
  });

  it("is sent until a stream says what became of it, where an earlier copy may have arrived", () => {
    const { terms, outcome, asked } = storing();
    terms.answer(nobody, true);
    vi.advanceTimersByTime(100);
    expect(asked.length).toBe(1);
    expect([asked[0]!.sentBefore, asked[0]!.timeoutMs < timeoutMs]).toEqual([true, true]);
    terms.answer(stored, true);
    expect(outcome).toEqual({ stored: { seq: 7, duplicate: false } });
  });

  it("is indefinite in the end, where an earlier copy may have arrived", () => {
    const { terms, outcome, asked } = storing((again) => again.answer(nobody, true));
    terms.answer(nobody, true);
    vi.advanceTimersByTime(2 * timeoutMs);
    expect(outcome).toEqual({ code: "indefinite" });
    expect(asked.length).toBeGreaterThan(5);
  });

  it("is indefinite, where it can be sent no more", () => {
    const { terms, outcome } = storing(() => {
      throw new Error("closed");
    });
    terms.answer(nobody, true);
    vi.advanceTimersByTime(timeoutMs);
    expect(outcome).toEqual({ code: "indefinite" });
  });
});

describe("a message that a cluster keeps silent about", () => {
  const silent = new BusError("indefinite", "no answer");

  it("is sent again with what is left of its time, and is indefinite in the end", () => {
    const { terms, outcome, asked } = storing(undefined, true, 5_000);
    expect(terms.timeoutMs).toBe(2_000);
    for (const left of [2_000, 1_000]) {
      vi.advanceTimersByTime(2_000);
      terms.fail(silent);
      expect([asked.at(-1)!.timeoutMs, asked.at(-1)!.sentBefore]).toEqual([left, true]);
    }
    vi.advanceTimersByTime(1_000);
    terms.fail(silent);
    expect([outcome, asked.length]).toEqual([{ code: "indefinite" }, 2]);
  });

  it("was not sent before, where there was no connection", () => {
    const { terms, asked } = storing(undefined, true, 5_000);
    vi.advanceTimersByTime(2_000);
    terms.fail(new BusError("unavailable", "no connection"));
    expect(asked[0]!.sentBefore).toBe(false);
  });

  it("ends at once, where the connection is closed", () => {
    const { terms, outcome, asked } = storing(undefined, true, 5_000);
    terms.fail(new BusError("closed", "closed"));
    expect([outcome, asked.length]).toEqual([{ code: "closed" }, 0]);
  });
});
