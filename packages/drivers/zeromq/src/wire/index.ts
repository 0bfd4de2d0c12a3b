/** The protocol as bytes, for whoever plays one of its ends in a test: see the README's tables. No stable API. */
export { Batch } from "./batch.ts";
export { layouts } from "./layout.ts";
export { Operation } from "./operation.ts";
export {
  dataHeaderBytes,
  encodeAck,
  encodeGone,
  encodeHello,
  encodeRefuse,
  encodeWelcome,
  PacketKind,
  readData,
  stampData,
} from "./packet.ts";
export { eachRecord, RecordKind, recordHeaderBytes } from "./record.ts";
export { encodeValues, Values } from "./values.ts";
