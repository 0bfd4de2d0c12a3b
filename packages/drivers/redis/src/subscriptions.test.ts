import { type Envelope, matchesSubject, matchVectors, type TopicSink } from "@quadrant/contract";
import { expect, test } from "vitest";
import { PacketWriter } from "./pack/packets.ts";
import { Subscriptions, sourceOf } from "./subscriptions.ts";

interface Heard extends TopicSink {
  readonly subjects: string[];
  dropped: number;
}

function sink(): Heard {
  const heard: Heard = {
    subjects: [],
    dropped: 0,
    deliver: (batch) => heard.subjects.push(...batch.map(({ subject }) => subject)),
    lost: (count) => {
      heard.dropped += count;
    },
    end: () => undefined,
  };
  return heard;
}

function packet(publisher: string, first: number, count: number = 1): Buffer {
  const writer = new PacketWriter();
  writer.begin(publisher, first);
  const envelope: Envelope = { subject: "", headers: {}, contentType: "", body: new Uint8Array([1]) };
  for (let n = 0; n < count; n++) writer.add(envelope);
  return writer.take();
}

test("what the server's patterns bring too much is left out", () => {
  for (const { pattern, subject, matches } of matchVectors) {
    const subscriptions = new Subscriptions();
    const heard = sink();
    subscriptions.add(pattern, heard);
    const key = sourceOf(pattern);
    // A channel brings its own subject alone.
    if (key[0] === "c" && !matchesSubject(pattern, subject)) continue;
    subscriptions.message(key, subject, packet("p", 1));
    expect(heard.subjects, `${pattern} ${subject}`).toEqual(matches ? [subject] : []);
  }
});

test("characters that mean something to the server's patterns are its own", () => {
  expect(sourceOf("a?b.[x].*")).toBe("pq:t:a\\?b.\\[x\\].*");
  expect(sourceOf("a.>")).toBe("pq:t:a.*");
  expect(sourceOf("a.b")).toBe("cq:t:a.b");
});

test("numbers tell what was lost, and what comes again", () => {
  const subscriptions = new Subscriptions();
  const heard = sink();
  subscriptions.add("s", heard);
  const key = sourceOf("s");
  subscriptions.message(key, "s", packet("p", 5, 2));
  subscriptions.message(key, "s", packet("p", 5, 2));
  subscriptions.message(key, "s", packet("other", 1));
  subscriptions.message(key, "s", packet("p", 10));
  expect(heard.subjects).toHaveLength(4);
  expect(heard.dropped).toBe(3);
});

test("what somebody else publishes on a channel is nobody's message", () => {
  const subscriptions = new Subscriptions();
  const heard = sink();
  subscriptions.add("s", heard);
  expect(subscriptions.message(sourceOf("s"), "s", Buffer.from("plain text"))).toBe(0);
  expect(heard.subjects).toEqual([]);
});
