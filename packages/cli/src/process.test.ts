import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Hub, startHub } from "@quadrant/zeromq";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

const main = join(import.meta.dirname, "main.ts");
const children = new Set<ChildProcess>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

interface Program {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves once stdout and stderr together satisfy the condition; fails when the process ends before. */
  until(condition: (out: string, err: string) => boolean): Promise<void>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

function watch(child: ChildProcess): Program {
  children.add(child);
  let out = "";
  let err = "";
  const checks = new Set<() => void>();
  const check = (): void => {
    for (const each of checks) each();
  };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
    check();
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    err += chunk;
    check();
  });
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    until: (condition) =>
      new Promise((resolve, reject) => {
        const each = (): void => {
          if (!condition(out, err)) return;
          checks.delete(each);
          resolve();
        };
        checks.add(each);
        void ended.then((code) => reject(new Error(`it ended with ${code}: ${out}${err}`)));
        each();
      }),
  };
}

const plainEnv: NodeJS.ProcessEnv = {
  ...process.env,
  QUADRANT_URL: undefined,
  FORCE_COLOR: undefined,
  NO_COLOR: undefined,
};

function quadrant(argv: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  return watch(spawn(process.execPath, [main, ...argv], { env: { ...plainEnv, ...env }, stdio: "pipe" }));
}

/** A pipeline of the shell, in which `quadrant` is the program. */
function shell(script: string, url: string): Program {
  const env = { ...plainEnv, QUADRANT_URL: url, NODE: process.execPath, MAIN: main };
  return watch(spawn("sh", ["-c", `quadrant() { "$NODE" "$MAIN" "$@"; }\n${script}`], { env, stdio: "pipe" }));
}

describe("hub", () => {
  test("prints its address and serves until Ctrl-C", async () => {
    const hub = quadrant(["hub", "--url", "zmq://127.0.0.1:0"]);
    await hub.until((out) => out.includes("\n"));
    const url = hub.out().trim();
    expect(url).toMatch(/^zmq:\/\/127\.0\.0\.1:\d+$/);
    const pub = quadrant(["pub", "a", "1", "--url", url]);
    expect([await pub.ended, pub.out()]).toEqual([0, ""]);
    hub.child.kill("SIGINT");
    expect(await hub.ended).toBe(130);
  });

  test("as JSON; SIGTERM ends it as well", async () => {
    const hub = quadrant(["--json", "hub", "--url", "zmq://127.0.0.1:0", "--quiet"]);
    await hub.until((out) => out.includes("\n"));
    expect(JSON.parse(hub.out())).toEqual({
      url: expect.stringMatching(/^zmq:/),
      pid: hub.child.pid,
      data: null,
      publicKey: null,
    });
    hub.child.kill("SIGTERM");
    expect(await hub.ended).toBe(130);
    expect(hub.err()).toBe("ending; press Ctrl-C again to end at once\n");
  });

  test("an address that is taken, or no hub's, is told on one line", async () => {
    const hub = quadrant(["hub", "--url", "zmq://127.0.0.1:0"]);
    await hub.until((out) => out.includes("\n"));
    const second = quadrant(["hub", "--url", hub.out().trim()]);
    expect([await second.ended, second.out()]).toEqual([1, ""]);
    expect(second.err()).toMatch(/^quadrant: [^\n]*in use[^\n]*\n$/i);
    const wrong = quadrant(["hub", "--url", "memory:"]);
    expect([await wrong.ended, wrong.out()]).toEqual([2, ""]);
  });
});

test("an unreachable broker: one line with a hint, in time to be told within five seconds, no stack trace", async () => {
  const pub = quadrant(["pub", "a", "1", "--url", "zmq://127.0.0.1:1", "--connect-timeout", "1ms"]);
  expect(await pub.ended).toBe(1);
  const program = quadrant(["pub", "a", "1"], { QUADRANT_URL: "zmq://127.0.0.1:1" });
  expect(await program.ended).toBe(1);
  expect(program.err()).toMatch(/^quadrant: [^\n]*within 4000 ms[^\n]*quadrant hub[^\n]*\n$/);
  expect(program.out()).toBe("");
});

test("a hub that has stopped answering is no reason to hang", async () => {
  const hub = quadrant(["hub", "--url", "zmq://127.0.0.1:0"]);
  await hub.until((out) => out.includes("\n"));
  const url = hub.out().trim();
  hub.child.kill("SIGSTOP");
  const send = quadrant(["send", "box", "1", "--url", url, "--connect-timeout", "100ms"]);
  expect(await send.ended).toBe(1);
  expect(send.err()).toMatch(/^quadrant: [^\n]*\(unavailable\)\n$/);
});

describe("with a hub", () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub();
  });
  afterAll(async () => {
    await hub[Symbol.asyncDispose]();
  });

  test("Ctrl-C once ends a command that waits, with 130", async () => {
    for (const argv of [
      ["sub", "a.>"],
      ["receive", "box"],
      ["log", "consume", "l", "d"],
    ]) {
      const program = quadrant([...argv, "--url", hub.url]);
      await program.until((_out, err) => err.includes("\n"));
      program.child.kill("SIGINT");
      expect(await program.ended, argv.join(" ")).toBe(130);
      expect(program.err()).toContain("ending; press Ctrl-C again");
    }
  });

  test("Ctrl-C ends a command that reads stdin; what it had read is sent", async () => {
    const sub = quadrant(["sub", "typed", "--count", "2", "--data", "--url", hub.url]);
    await sub.until((_out, err) => err.includes("subscribed"));
    const pub = quadrant(["pub", "typed", "--url", hub.url]);
    pub.child.stdin!.write("1\n2\n");
    expect(await sub.ended).toBe(0);
    pub.child.kill("SIGINT");
    expect(await pub.ended).toBe(130);
    expect(pub.err()).toContain("2 published to typed");
    expect(sub.out()).toBe("1\n2\n");
  });

  test("Ctrl-C ends it also when whoever reads its output has stopped reading", async () => {
    const sub = quadrant(["sub", "flood", "--url", hub.url]);
    await sub.until((_out, err) => err.includes("subscribed"));
    sub.child.stdout!.pause();
    const flood = quadrant(["pub", "flood", "--text", "--url", hub.url]);
    for (let i = 0; i < 64; i++) flood.child.stdin!.write(`${"x".repeat(64 * 1024)}\n`);
    flood.child.stdin!.end();
    expect(await flood.ended).toBe(0);
    sub.child.kill("SIGINT");
    sub.child.once("exit", () => sub.child.stdout!.resume());
    expect(await sub.ended).toBe(130);
  });

  test("Ctrl-C twice ends at once, whatever it waits for", async () => {
    const paused = quadrant(["hub", "--url", "zmq://127.0.0.1:0"]);
    await paused.until((out) => out.includes("\n"));
    const sub = quadrant(["sub", "a", "--url", paused.out().trim()]);
    await sub.until((_out, err) => err.includes("subscribed"));
    paused.child.kill("SIGSTOP");
    // Repeatedly: presses in quick succession count as one.
    const pressing = setInterval(() => sub.child.kill("SIGINT"), 50);
    try {
      expect(await sub.ended).toBe(130);
    } finally {
      clearInterval(pressing);
    }
  });

  test("a closed pipe ends it with 0 and without a word", async () => {
    const program = shell(
      `quadrant out pipes <<'END'
["a",1]
["a",2]
END
(quadrant rd pipes '["a","?"]' --all -q; echo "exit $?" >&2) | head -1
seq 20000 | quadrant log append long x -q | tail -1
(quadrant log read long --data; echo "exit $?" >&2) | head -2`,
      hub.url,
    );
    expect(await program.ended).toBe(0);
    expect(program.out()).toBe('["a",1]\n20000\n1\n2\n');
    expect(program.err().match(/exit \d+/g)).toEqual(["exit 0", "exit 0"]);
    expect(program.err()).not.toMatch(/EPIPE|quadrant:/);
  });

  test("pipes both ways", async () => {
    const program = shell(
      `seq 3 | quadrant send from -q >/dev/null
quadrant receive from --count 3 --data | quadrant out to
quadrant out to '["x"]' -q
quadrant in to '["x"]' | quadrant log append kept x
quadrant log read kept --json`,
      hub.url,
    );
    expect(await program.ended).toBe(0);
    const lines = program.out().trim().split("\n");
    // Numbers are no tuples: that stage of the pipeline failed, and said so.
    expect(program.err()).toContain("quadrant: stdin: a tuple is an array or a record");
    expect(lines[0]).toBe("1");
    expect(JSON.parse(lines[1]!)).toMatchObject({ seq: 1, subject: "x", data: ["x"] });
  });

  test("colours only where they are wanted", async () => {
    const sequence = "\u001b[";
    const runs: [NodeJS.ProcessEnv, boolean][] = [
      [{}, false],
      [{ FORCE_COLOR: "1" }, true],
      [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    ];
    for (const [env, colored] of runs) {
      const program = quadrant(["rd", "nothing", '["x"]', "--no-wait", "--url", hub.url], env);
      expect(await program.ended).toBe(1);
      expect(program.err().includes(sequence)).toBe(colored);
    }
  });

  test("a hub that goes away and comes back is told, and the subscription goes on", async () => {
    const first = quadrant(["hub", "--url", "zmq://127.0.0.1:0"]);
    await first.until((out) => out.includes("\n"));
    const url = first.out().trim();
    const sub = quadrant(["sub", "news", "--count", "1", "--url", url]);
    await sub.until((_out, err) => err.includes("subscribed"));
    first.child.kill("SIGKILL");
    await sub.until((_out, err) => err.includes("connection lost; trying again"));
    const second = quadrant(["hub", "--url", url]);
    await second.until((out) => out.includes("\n"));
    await sub.until((_out, err) => err.includes("connected again"));
    const pub = quadrant(["pub", "news", "1", "--url", url]);
    expect(await pub.ended).toBe(0);
    expect(await sub.ended).toBe(0);
    expect(sub.out()).toBe("news\t1\n");
  });
});
