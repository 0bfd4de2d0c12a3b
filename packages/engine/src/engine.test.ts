import { encodeTemplate, encodeTuple } from "@quadrant/contract";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";

test("smoke", async () => {
  const e = new Engine();
  const s = e.connect("x");
  await s.tuples.out("sp", encodeTuple(["a", 1]), undefined, {});
  expect(await s.tuples.take("sp", encodeTemplate(["a", Number]), {})).toBe(encodeTuple(["a", 1]));
  const p = s.tuples.take("sp", encodeTemplate(["a", Number]), {});
  await s.tuples.out("sp", encodeTuple(["a", 2]), undefined, {});
  expect(await p).toBe(encodeTuple(["a", 2]));
  const f = s.queues.fetch("q", { max: 10 });
  await s.queues.send("q", [{ id: "1", dedupe: false, headers: {}, contentType: "", body: new Uint8Array(1) }]);
  const [l] = await f;
  expect(await s.queues.settle("q", [{ kind: "ack", token: l!.token }])).toEqual([undefined]);
  const r = s.logs.read("l", { from: "first", max: 10, follow: true });
  await s.logs.append("l", { subject: "a", headers: {}, contentType: "", body: new Uint8Array(1) });
  expect((await r).entries.length).toBe(1);
  console.log(JSON.stringify(e.describe()));
  e.close();
});
