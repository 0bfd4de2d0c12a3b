import type { Codec, StandardSchema } from "@quadrant/contract";

/** Accepts numbers. */
export const numbers: StandardSchema<number> = {
  "~standard": {
    version: 1,
    vendor: "quadrant-testkit",
    validate: (value) =>
      typeof value === "number" ? { value } : { issues: [{ message: `${typeof value} where a number belongs` }] },
  },
};

/** Says JSON and writes what is none: a sender with a defect. */
export const brokenJson: Codec = {
  contentType: "application/json",
  encode: () => new Uint8Array([0x7b, 0xff, 0x00]),
  decode: () => undefined,
};

/** What brokenJson writes. */
export const brokenBytes: Uint8Array = new Uint8Array([0x7b, 0xff, 0x00]);
