import { describe, expect, test } from "vitest";
import { digestOf, type LetterEvent, letterBody } from "./campaigns/letter-record.ts";
import { judge } from "./campaigns/letter-verdict.ts";
import { runLetters } from "./campaigns/letters.ts";

// The full size is a command of its own: npm run campaign:letters.
test("5 000 acknowledged letters, their consumers SIGKILLed at random: none lost, none altered, duplicates explained", async () => {
  const report = await runLetters({ letters: 5_000, consumers: 3, lettersPerKill: 700, seed: 20_261_120 });
  expect(report).toMatchObject({ sent: 5_000, lost: 0, invented: 0, altered: 0, unexplained: 0 });
  expect(report.kills).toBeGreaterThan(0);
});

describe("the verdict", () => {
  const delivered = (n: number, attempt: number): LetterEvent => ({
    kind: "delivered",
    n,
    attempt,
    digest: digestOf(letterBody(n)),
  });
  const acked = (n: number, attempt: number): LetterEvent => ({ kind: "acked", n, attempt });
  const nothing = { lost: 0, invented: 0, altered: 0, duplicates: 0, unexplained: 0 };

  test("finds nothing where each letter was delivered and acknowledged once", () => {
    expect(judge(2, [{ killed: false, events: [delivered(0, 1), acked(0, 1), delivered(1, 1), acked(1, 1)] }])).toEqual(
      {
        sent: 2,
        ...nothing,
      },
    );
  });

  test("explains what was delivered again after its consumer was killed, or told it was late", () => {
    const records = [
      { killed: true, events: [delivered(0, 1)] },
      { killed: false, events: [delivered(1, 1), { kind: "stale", n: 1, attempt: 1 } as const] },
      { killed: false, events: [delivered(0, 2), acked(0, 2), delivered(1, 2), acked(1, 2)] },
    ];
    expect(judge(2, records)).toEqual({ sent: 2, ...nothing, duplicates: 2 });
  });

  test("finds the lost, the invented and the altered", () => {
    const altered: LetterEvent = { kind: "delivered", n: 0, attempt: 1, digest: "0000" };
    expect(judge(2, [{ killed: false, events: [altered, delivered(5, 1)] }])).toEqual({
      sent: 2,
      ...nothing,
      lost: 1,
      invented: 1,
      altered: 1,
    });
  });

  test("finds a second delivery after an acknowledgement, to a living consumer, or of the same attempt", () => {
    const again = { killed: false, events: [delivered(0, 2), acked(0, 2)] };
    const twice = { ...nothing, sent: 1, duplicates: 1, unexplained: 1 };
    expect(judge(1, [{ killed: true, events: [delivered(0, 1), acked(0, 1)] }, again])).toEqual(twice);
    expect(judge(1, [{ killed: false, events: [delivered(0, 1)] }, again])).toEqual(twice);
    expect(judge(1, [{ killed: true, events: [delivered(0, 2)] }, again])).toEqual(twice);
  });
});
