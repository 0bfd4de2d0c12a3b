import { describe, expect, test } from "vitest";
import {
  checkClock,
  checkDurability,
  checkExposure,
  checkLatency,
  checkNode,
  checkOpenFiles,
  checkTransport,
  type Finding,
} from "./diagnosis.ts";

const limits = (soft: number): string =>
  `Limit Soft Limit Hard Limit Units\nMax open files            ${soft}                 1048576              files\n`;

describe("ten broken set-ups, ten named causes, each with its fix", () => {
  test.each<[name: string, finding: Finding | undefined, level: Finding["level"], fix: RegExp]>([
    ["an old Node", checkNode("v20.20.2"), "broken", /22\.18/],
    ["a Node of the right major, too old", checkNode("v22.17.9"), "broken", /22\.18/],
    ["few open files", checkOpenFiles(limits(256)), "warning", /ulimit -n/],
    ["a password on the command line", checkExposure("zmq://a:secret@host:1"), "warning", /QUADRANT_URL/],
    [
      "an open connection to elsewhere",
      checkTransport("zmq://db.example.org:7227", false),
      "warning",
      /network you trust/,
    ],
    ["an open connection to an address", checkTransport("zmq://10.0.0.7:7227", false), "warning", /network you trust/],
    [
      "nothing durable",
      checkDurability({ driver: "zeromq", support: { durability: { how: "refused", note: "in memory" } } }),
      "warning",
      /durable/,
    ],
    [
      "a driver that says nothing of durability",
      checkDurability({ driver: "zeromq", support: {} }),
      "warning",
      /durable/,
    ],
    ["a slow way", checkLatency("call", { rounds: 1, p50: 250, p99: 300, max: 300 }), "warning", /load/],
    ["clocks apart", checkClock(new Date(0), 60_000), "warning", /NTP/],
  ])("%s", (_name, finding, level, fix) => {
    expect(finding?.level).toBe(level);
    expect(finding?.fix).toMatch(fix);
  });
});

test("a healthy set-up has nothing to mend", () => {
  const findings = [
    checkNode("v24.1.0"),
    checkNode("v22.18.0"),
    checkOpenFiles(limits(1_048_576)),
    checkDurability({ driver: "file", support: { durability: { how: "native", note: "fsync a commit" } } }),
    checkLatency("call", { rounds: 1, p50: 0.2, p99: 1, max: 2 }),
    checkClock(new Date(1_000), 1_500),
  ];
  expect(findings.map((finding) => [finding?.level, finding?.fix])).toEqual(findings.map(() => ["ok", undefined]));
});

test("what does not apply says nothing", () => {
  expect(checkOpenFiles(undefined)).toBeUndefined();
  expect(checkExposure(undefined)).toBeUndefined();
  expect(checkExposure("zmq://host:7227")).toBeUndefined();
  for (const url of ["memory:", "zmq://127.0.0.1:1", "zmq://localhost:1", "zmq://[::1]:1", "zmq+ipc:///tmp/x"]) {
    expect(checkTransport(url, false), url).toBeUndefined();
  }
});
