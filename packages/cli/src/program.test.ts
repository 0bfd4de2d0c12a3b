import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { CapturedIo, run } from "./captured-io.ts";
import { catalogue } from "./catalogue.ts";
import { version } from "./version.ts";

describe("wrong use: exit 2, one line on stderr, nothing on stdout", () => {
  test.each<[argv: string[], message: RegExp]>([
    [["pubb"], /unknown command 'pubb' \(Did you mean pub\?\)/],
    [["recieve", "box"], /Did you mean receive\?/],
    [["log", "apend", "l", "s"], /unknown command 'apend' \(Did you mean append\?\)/],
    [["mailbox", "peak", "box"], /Did you mean peek\?/],
    [["sub", "a.>", "--jsno"], /unknown option '--jsno' \(Did you mean --json\?\)/],
    [["--jsno", "sub", "a.>"], /unknown option '--jsno' \(Did you mean --json\?\)/],
    [["log", "read", "l", "--folow"], /Did you mean --follow\?/],
    [["pub"], /missing required argument 'subject'/],
    [["in", "space"], /missing required argument 'template'/],
    [["pub", "a", "1", "2"], /too many arguments/],
    [["sub", "a", "--count"], /argument missing/],
    [["sub", "a", "--count", "0"], /'0' is invalid.*at least 1/],
    [["sub", "a", "--count", "many"], /'many' is invalid/],
    [["sub", "a", "--count", "1.5"], /whole number/],
    [["sub", "a", "--timeout", "soon"], /'soon' is invalid.*milliseconds/],
    [["send", "box", "1", "--delay=-5"], /invalid/],
    [["log", "append", "l", "s", "1", "--expect-last", "-1"], /at least 0/],
    [["log", "read", "l", "--from", "yesterday"], /first, new, a sequence, or a time/],
    [["log", "read", "l", "--from", "new"], /add --follow/],
    [["log", "append", "l", "s", "--id", "x"], /give its body/],
    [["send", "box", "--id", "x"], /give its body/],
    [["sub", "a", "--json", "--text"], /cannot be used with/],
    [["receive", "box", "--nak", "--reject"], /cannot be used with/],
    [["rd", "s", "[1]", "--all", "--timeout", "1s"], /--timeout is for waiting/],
    [["rd", "s", "[1", "--no-wait"], /the template: \[1 is no JSON/],
    [["in", "s", '["?strin"]'], /is no hole/],
    [["out", "s", '"text"'], /a tuple is an array or a record/],
    [["out", "s", '[{"$bigint": 1}]'], /\$bigint/],
    [["pub", "a", "{not json"], /the body: \{not json is no JSON/],
    [["pub", "a", "1", "-H", "novalue"], /give name=value/],
    [["call", "a", "m", "World"], /argument 1: World is no JSON/],
    [["pub", "a", "1", "--url", "localhost"], /localhost is no URL/],
  ])("%j", async (argv, message) => {
    const { code, out, err } = await run(argv);
    expect(err).toMatch(message);
    expect(err).toMatch(/^quadrant: [^\n]+\n$/);
    expect({ code, out }).toEqual({ code: 2, out: "" });
  });

  test("no command: the help, on stderr", async () => {
    const { code, out, err } = await run([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: quadrant");
  });

  test("a command of commands alone: its help, on stderr", async () => {
    const { code, out, err } = await run(["log"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("append");
  });
});

describe("help: exit 0, on stdout", () => {
  test("names every command", async () => {
    const { code, out, err } = await run(["--help"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const { name, summary } of catalogue)
      expect(out).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 20)}`, "m"));
    expect(out).toContain("Exit codes: 0 done, 1 failed, 2 wrongly used, 130 interrupted");
  });

  test.each(catalogue.map(({ name }) => name))("%s", async (name) => {
    for (const argv of [
      [name, "--help"],
      ["help", name],
    ]) {
      const { code, out, err } = await run(argv);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(`Usage: quadrant ${name}`);
      expect(out).toContain("--url <url>");
      expect(out).toContain("--json");
    }
  });

  test("templates are explained where they are needed", async () => {
    expect((await run(["in", "--help"])).out).toContain('"?1..5"');
  });

  test("--version", async () => {
    const { code, lines } = await run(["--version"]);
    expect({ code, lines }).toEqual({ code: 0, lines: [version()] });
  });
});

describe("a password is never printed", () => {
  const secret = "hunter2-secret";
  const urls = [
    `zmq://anna:${secret}@127.0.0.1:1`,
    `zmq://anna:${secret}@`,
    `zmq:anna:${secret}@host`,
    `//anna:${secret}@host`,
    `anna:${secret}@host`,
    `zmq://anna:${secret} x@host`,
    `nats://${secret}@host`,
    `what://anna:${secret}@host:7`,
    `zmq://[::${secret}@x:y`,
    `zmq://127.0.0.1:1?password=${secret}`,
  ];

  test.each(urls)("%s", async (url) => {
    const lines = [
      ["pub", "a", "1", "--url", url],
      ["--url", url, "info"],
      ["doctor", url],
      ["doctor", url, "--json"],
      ["hub", "--url", url],
      ["--urll", url],
      [url],
      ["pub", "a", "1", url],
      ["sub", "a", "--count", url],
      ["in", "s", url],
    ];
    for (const argv of lines) {
      const { code, out, err } = await run([...argv, "--connect-timeout", "20ms"]);
      expect(code, argv.join(" ")).not.toBe(0);
      expect(out + err, argv.join(" ")).not.toContain(secret);
      expect(err, argv.join(" ")).not.toBe("");
    }
  });

  test.each(urls)("%s as a subject, which it may be", async (url) => {
    const { out, err } = await run(["pub", url, "1", "--url", "memory:"]);
    expect(out + err).not.toContain(secret);
  });

  test("nor that of QUADRANT_URL, with a stack trace asked for", async () => {
    const io = new CapturedIo({ QUADRANT_URL: urls[0], QUADRANT_DEBUG: "1" });
    const { code, out, err } = await run(["info", "--connect-timeout", "20ms"], "", io);
    expect(code).toBe(1);
    expect(err).toContain("    at ");
    expect(out + err).not.toContain(secret);
  });
});

test("what every start loads has no bus and no driver in it", () => {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const [, what] of readFileSync(path, "utf8").matchAll(
      /^(?:import|export) (?!type )[^;]*? from "([^"]+)";/gm,
    )) {
      if (what!.startsWith(".")) visit(join(dirname(path), what!));
      else
        expect(["commander", "picocolors"], `${path} imports ${what}`).toContain(
          what!.replace(/^node:.*/, "commander"),
        );
    }
  };
  visit(join(import.meta.dirname, "main.ts"));
  expect(seen.size).toBeGreaterThan(8);
});
