import { encodeTemplate, encodeTuple } from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter, type Value } from "./bytes.ts";
import { AskKind, frameVersion } from "./frame.ts";
import { Operation } from "./operation.ts";
import { OwnerSession } from "./owner-session.ts";

/** A frame in which a client asks for one thing, and says that it has got no frame yet. */
function asking(id: number, operation: number, values: readonly Value[]): ByteReader {
  const writer = new ByteWriter().u8(frameVersion).u32(1).u32(0);
  return new ByteReader(writer.u8(AskKind.request).u32(id).u8(operation).values(values).done());
}

/** Takes a tuple for a client, in a frame of its own; resolves with the frame's number. */
async function taking(session: OwnerSession, id: number, sent: number[]): Promise<number> {
  session.frame(asking(id, Operation.takeNow, ["s", encodeTemplate(["t", id])]));
  await new Promise((resolve) => setImmediate(resolve));
  session.flush();
  return sent.at(-1)!;
}

test("where nobody gets a frame, what it took goes back, and what an earlier one took does not", async () => {
  const engine = new Engine();
  try {
    const tuples = engine.connect("putter").tuples;
    await tuples.outMany(
      "s",
      [1, 2, 3].map((n) => encodeTuple(["t", n])),
      undefined,
    );
    const sent: number[] = [];
    const host = {
      epoch: 1,
      send: (_: OwnerSession, __: Buffer, number: number): void => void sent.push(number),
      wake: (): void => undefined,
      end: (): void => undefined,
    };
    const session = new OwnerSession("inbox", 1, host, engine.connect("taker"));
    await taking(session, 1, sent);
    const refused = await taking(session, 2, sent);
    await taking(session, 3, sent);
    session.suspend(refused);
    const there = await tuples.readAll("s", encodeTemplate(["t", Number]));
    expect(there).toEqual([2, 3].map((n) => encodeTuple(["t", n])));
  } finally {
    await engine.close();
  }
});
