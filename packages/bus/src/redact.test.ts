import { BusError } from "@quadrant/contract";
import { expect, it } from "vitest";
import { redacted, secretsOfAuth } from "./redact.ts";

it("an error without secrets stays the error it is", () => {
  const error = new BusError("unavailable", "nobody answers at h:1", { cause: new Error("ECONNREFUSED") });
  expect(redacted(error, ["hunter2"])).toBe(error);
});

it("a secret is blanked in the message and all causes, the rest kept", () => {
  const deepest = Object.assign(new Error("AUTH hunter2"), { command: "AUTH hunter2" });
  const error = new BusError("denied", "redis://me:hunter2@h refused", {
    driver: "redis",
    cause: new Error("no", { cause: deepest }),
  });
  const clean = redacted(error, ["hunter2"]);
  expect(clean).toMatchObject({ code: "denied", driver: "redis", message: "redis://me:***@h refused" });
  for (let at: unknown = clean; at instanceof Error; at = at.cause) {
    expect(`${at.message}${at.stack}${JSON.stringify(at)}`).not.toContain("hunter2");
  }
  expect(((clean.cause as Error).cause as Error).message).toBe("AUTH ***");
});

it("a secret in a cause's members or in what was thrown as text goes too", () => {
  const cause = Object.assign(new Error("refused"), { password: "hunter2" });
  expect(JSON.stringify(redacted(new BusError("denied", "no", { cause }), ["hunter2"]).cause)).not.toContain("hunter2");
  expect(String(redacted(new BusError("denied", "no", { cause: "pw hunter2" }), ["hunter2"]).cause)).not.toContain(
    "hunter2",
  );
});

it("what is no BusError becomes one", () => {
  expect(redacted(new TypeError("hunter2 is no function"), ["hunter2"])).toMatchObject({
    code: "unavailable",
    message: expect.stringContaining("*** is no function"),
  });
});

it("secrets of every kind of auth are known", () => {
  expect(secretsOfAuth(undefined)).toEqual([]);
  expect(secretsOfAuth({ user: "me", password: "p" })).toEqual(["p"]);
  expect(secretsOfAuth({ token: "t" })).toEqual(["t"]);
  expect(secretsOfAuth({ nkeySeed: "s" })).toEqual(["s"]);
  expect(secretsOfAuth({ credsFile: "/x" })).toEqual([]);
  expect(secretsOfAuth({ curve: { serverKey: "a", publicKey: "b", secretKey: "c" } })).toEqual(["c"]);
});
