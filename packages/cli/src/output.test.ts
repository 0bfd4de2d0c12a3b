import { PassThrough, Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { Captured, CapturedIo } from "./captured-io.ts";
import { ClosedPipe } from "./failure.ts";
import { colorsFor, Output, Pipe } from "./output.ts";
import { Secrets } from "./secret.ts";

const never = new AbortController().signal;
const esc = "\u001b";

function outputOn(io: CapturedIo, settings: { json?: boolean; quiet?: boolean } = {}): Output {
  const { json = false, quiet = false } = settings;
  return new Output(io, new Pipe(io.stdout, never), new Secrets([]), { json, quiet });
}

describe("colours", () => {
  const terminal = new Captured();
  terminal.isTTY = true;
  const file = new Captured();

  test.each([
    ["a terminal", terminal, {}, true],
    ["a file", file, {}, false],
    ["NO_COLOR", terminal, { NO_COLOR: "1" }, false],
    ["an empty NO_COLOR, which means nothing", terminal, { NO_COLOR: "" }, true],
    ["NO_COLOR over FORCE_COLOR", terminal, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    ["FORCE_COLOR", file, { FORCE_COLOR: "1" }, true],
    ["FORCE_COLOR=0", file, { FORCE_COLOR: "0" }, false],
    ["a dumb terminal", terminal, { TERM: "dumb" }, false],
  ])("%s", (_name, stream, env, colored) => {
    expect(colorsFor(stream, env).isColorSupported).toBe(colored);
  });
});

describe("where things go", () => {
  test("data to stdout, talk to stderr", async () => {
    const io = new CapturedIo();
    const output = outputOn(io);
    await output.datum({ a: 1 }, () => "one");
    output.talk("working");
    expect(io.stdout.text).toBe("one\n");
    expect(io.stderr.text).toBe("working\n");
  });

  test("talk without passwords; what is known to be no secret as it is, though it has the shape of one", () => {
    const io = new CapturedIo();
    const output = outputOn(io);
    const publicKey = "6s:Y&V@l!R]vwtTUgWe4nM-G)5m[Pa-PU*nx4c]=";
    output.talk("at zmq://anna:hunter2@host");
    output.talkPlainly(`its public key: ${publicKey}`);
    expect(io.stderr.text).toBe(`at zmq://anna:***@host\nits public key: ${publicKey}\n`);
  });

  test("with --json the record; with --quiet no talk, but failures", async () => {
    const io = new CapturedIo();
    const output = outputOn(io, { json: true, quiet: true });
    await output.datum({ a: 1 }, () => "one");
    output.talk("working");
    output.fail("it\n  broke");
    expect(io.stdout.text).toBe('{"a":1}\n');
    expect(io.stderr.text).toBe("quadrant: it broke\n");
  });

  test("a table in columns, or as objects", async () => {
    const text = new CapturedIo();
    await outputOn(text).table(
      ["name", "n"],
      [
        ["a", 1],
        ["long", 20],
      ],
    );
    expect(text.stdout.text).toBe("name  n\na     1\nlong  20\n");
    const json = new CapturedIo();
    await outputOn(json, { json: true }).table(["name", "n"], [["a", 1]]);
    expect(json.stdout.text).toBe('{"name":"a","n":1}\n');
  });
});

test("escape sequences in data do not reach a terminal, and are left alone elsewhere", async () => {
  const io = new CapturedIo();
  io.stdout.isTTY = true;
  await outputOn(io).line(`${esc}[2J\u009b1m\ta`);
  expect(io.stdout.text).toBe("\\u001b[2J\\u009b1m\ta\n");
  const piped = new CapturedIo();
  await outputOn(piped).line(`${esc}[2J`);
  expect(piped.stdout.text).toBe(`${esc}[2J\n`);
  outputOn(piped).talk(`remote said ${esc}]0;owned`);
  expect(piped.stderr.text).not.toContain(esc);
});

describe("a slow or absent reader", () => {
  test("writes wait for the reader", async () => {
    const slow = new PassThrough({ highWaterMark: 4 });
    const pipe = new Pipe(slow, never);
    let written = false;
    const writing = pipe.write("more than four").then(() => {
      written = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    slow.resume();
    await writing;
    await pipe.flush();
  });

  test("an interrupt ends the waiting", async () => {
    const stop = new AbortController();
    const pipe = new Pipe(new Writable({ write: () => undefined }), stop.signal);
    const writing = pipe.write("nobody takes this");
    stop.abort(new Error("interrupted"));
    await expect(writing).rejects.toThrow("interrupted");
    await pipe.flush();
    expect(pipe.readerGone).toBe(false);
  });

  test("a closed pipe is noticed and is no failure", async () => {
    const broken = new Captured();
    broken.broken = true;
    const pipe = new Pipe(broken, never);
    await expect(pipe.write("lost")).rejects.toThrow(ClosedPipe);
    await expect(pipe.write("lost")).rejects.toThrow(ClosedPipe);
    expect(pipe.readerGone).toBe(true);
    expect(pipe.signal.aborted).toBe(true);
    await pipe.flush();
  });

  test("a full disk is a failure", async () => {
    const full = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" })),
    });
    const pipe = new Pipe(full, never);
    await expect(pipe.write("lost")).rejects.toThrow("ENOSPC");
    expect(pipe.readerGone).toBe(false);
  });
});
