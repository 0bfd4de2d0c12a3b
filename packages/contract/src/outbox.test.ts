import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Envelope } from "./envelope.ts";
import { BusError } from "./errors.ts";
import { Outbox, type Outlet } from "./outbox.ts";

const timeoutMs = 1_000;

/** An outlet that keeps what is written until it is told to let it go. */
class Pipe implements Outlet {
  readonly driver = "zeromq" as const;
  readonly broker = "the hub";
  attached = true;
  closed = false;
  readonly written: { readonly name: number; readonly bytes: number }[] = [];
  pendingBytes = 0;

  get heldBytes(): number {
    return this.pendingBytes;
  }

  refusal(subject: string): BusError | undefined {
    return subject === "secret" ? new BusError("denied", "not there") : undefined;
  }

  write(envelope: Envelope, bytes: number): void {
    this.written.push({ name: envelope.body[0]!, bytes });
    this.pendingBytes += bytes;
  }

  leave(bytes: number): void {
    this.pendingBytes -= bytes;
  }

  get names(): number[] {
    return this.written.map(({ name }) => name);
  }
}

const envelope = (name: number, size: number, subject = "s"): Envelope => {
  const body = new Uint8Array(size);
  body[0] = name;
  return { subject, headers: {}, contentType: "t", body };
};

let pipe: Pipe;

beforeEach(() => {
  vi.useFakeTimers();
  pipe = new Pipe();
});
afterEach(() => {
  vi.useRealTimers();
});

async function codeOf(outcome: Promise<void> | undefined): Promise<string> {
  if (outcome === undefined) return "taken";
  return outcome.then(
    () => "written",
    (error: BusError) => error.code,
  );
}

test("what there is room for is written at once, in order", () => {
  const outbox = new Outbox(pipe, 1_000_000, timeoutMs);
  expect(outbox.publish(envelope(1, 10))).toBeUndefined();
  expect(outbox.publish(envelope(2, 10))).toBeUndefined();
  expect(pipe.names).toEqual([1, 2]);
});

test("who awaits is paced while more than a mebibyte drains, and no longer than the timeout", async () => {
  const outbox = new Outbox(pipe, 64 << 20, timeoutMs);
  const paced = codeOf(outbox.publish(envelope(1, 2 << 20)));
  expect(pipe.names).toEqual([1]);
  pipe.leave(3 << 19);
  outbox.progress();
  expect(await paced).toBe("written");
  const held = codeOf(outbox.publish(envelope(2, 2 << 20)));
  await vi.advanceTimersByTimeAsync(timeoutMs);
  expect(await held).toBe("written");
  pipe.attached = false;
  expect(outbox.publish(envelope(3, 2 << 20))).toBeUndefined();
});

test("in a full one they wait for room, in order; a flood is refused", async () => {
  const outbox = new Outbox(pipe, 16_000, timeoutMs);
  expect(outbox.publish(envelope(1, 14_800))).toBeUndefined();
  const waiting = [codeOf(outbox.publish(envelope(2, 600))), codeOf(outbox.publish(envelope(3, 100)))];
  expect(outbox.waiting).toBe(2);
  expect(await codeOf(outbox.publish(envelope(4, 500)))).toBe("overflow");
  const written = outbox.written();
  pipe.leave(14_865);
  outbox.progress();
  expect(await Promise.all(waiting)).toEqual(["written", "written"]);
  await written;
  expect(outbox.written()).toBeUndefined();
  expect(pipe.names).toEqual([1, 2, 3]);
});

test("where nothing is on its way one is taken, however little room there is", async () => {
  const outbox = new Outbox(pipe, 100, timeoutMs);
  expect(outbox.publish(envelope(1, 900))).toBeUndefined();
  const second = outbox.publish(envelope(2, 900));
  expect(pipe.names).toEqual([1]);
  pipe.leave(pipe.pendingBytes);
  outbox.progress();
  expect(await codeOf(second)).toBe("written");
  expect(pipe.names).toEqual([1, 2]);
});

test("who waits is refused once nothing at all has left for the timeout", async () => {
  const outbox = new Outbox(pipe, 16_000, timeoutMs);
  void outbox.publish(envelope(1, 14_900));
  const waiting = codeOf(outbox.publish(envelope(2, 5_000)));
  await vi.advanceTimersByTimeAsync(timeoutMs - 1);
  pipe.leave(10);
  outbox.progress();
  await vi.advanceTimersByTimeAsync(timeoutMs - 1);
  expect(outbox.waiting).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await waiting).toBe("overflow");
  expect(outbox.waiting).toBe(0);
});

test("what may not be published is denied; once it is closed, nothing is taken and who waits is told", async () => {
  const outbox = new Outbox(pipe, 16_000, timeoutMs);
  expect(await codeOf(outbox.publish(envelope(1, 10, "secret")))).toBe("denied");
  void outbox.publish(envelope(2, 14_900));
  const waiting = codeOf(outbox.publish(envelope(3, 5_000)));
  outbox.close();
  expect(await waiting).toBe("closed");
  expect(await codeOf(outbox.publish(envelope(4, 10)))).toBe("closed");
  expect(pipe.names).toEqual([2]);
  expect(vi.getTimerCount()).toBe(0);
});
