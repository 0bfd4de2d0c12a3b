import { describe, expect, it } from "vitest";
import { JetStreamError } from "./failure.ts";
import { readPubAck } from "./pub-ack.ts";

const read = (text: string) => readPubAck(Buffer.from(text));

describe("an acknowledgement of a stream", () => {
  it("tells the sequence, as every version of the server writes it", () => {
    expect(read('{"stream":"ORDERS", "seq":7}')).toEqual({ seq: 7, duplicate: false });
    expect(read('{"stream":"ORDERS","seq":9007199254740991}')).toEqual({ seq: 9007199254740991, duplicate: false });
    expect(read('{"stream":"ORDERS", "domain":"hub", "seq":10}')).toEqual({ seq: 10, duplicate: false });
    expect(read('{"stream":"ORDERS","seq": 120}')).toEqual({ seq: 120, duplicate: false });
    expect(read('{"stream":"\\"seq\\":5}","seq":6}')).toEqual({ seq: 6, duplicate: false });
  });

  it("tells a duplicate", () => {
    expect(read('{"stream":"ORDERS", "seq":7,"duplicate": true}')).toEqual({ seq: 7, duplicate: true });
    expect(read('{"stream":"ORDERS","duplicate":true,"seq":7}').seq).toBe(7);
  });

  it("throws what the stream refuses", () => {
    const refusal =
      '{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"},"stream":"A","seq":0}';
    expect(() => read(refusal)).toThrow(new JetStreamError(400, 10_071, "wrong last sequence: 3"));
  });
});
