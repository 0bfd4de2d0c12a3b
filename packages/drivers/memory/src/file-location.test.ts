import { expect, test } from "vitest";
import { readFileLocation } from "./file-location.ts";

test.each([
  ["file:///var/lib/jobs", "/var/lib/jobs", "full"],
  ["file:///with%20space?sync=normal", "/with space", "normal"],
  ["file:///jobs/?sync=off&require=durable", "/jobs/", "off"],
])("%s names a folder, and how it is kept", (url, folder, sync) => {
  expect(readFileLocation(new URL(url))).toEqual({ folder, sync });
});

test.each([
  ["file:///jobs?sync=always", "invalid"],
  ["file:///jobs?require=fast", "invalid"],
  ["file:///jobs?replicas=3", "invalid"],
  ["file:///jobs#part", "invalid"],
  ["file://host/jobs", "invalid"],
  ["file:///a%2Fb", "invalid"],
])("%s is %s", (url, code) => {
  expect(() => readFileLocation(new URL(url))).toThrowError(expect.objectContaining({ code, driver: "file" }));
});
