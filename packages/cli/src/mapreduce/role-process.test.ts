import { expect, test } from "vitest";
import { RoleProcess } from "./role-process.ts";

test("gives up on a role that dies as soon as it begins", async () => {
  let said = "";
  const failure = Promise.withResolvers<Error>();
  let replaced = 0;
  const role = new RoleProcess({
    args: ["mapreduce", "resource-manager", "--url", "nonsense"],
    env: {},
    told: (text) => {
      said += text;
    },
    onDeath: ({ code }) => {
      expect(code).toBe(2);
      replaced++;
    },
    onFailure: failure.resolve,
  });
  expect((await failure.promise).message).toMatch(
    /^the resource-manager died 5 times in a row, the last time of exit code 2$/,
  );
  expect(replaced).toBe(4);
  await role.stop(false);
  expect(said).toContain("nonsense is no URL");
});
