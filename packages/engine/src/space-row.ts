import type { SpaceSpec } from "@quadrant/contract";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";
import { Space } from "./space.ts";

export function encodeSpace({ row, name, terms }: Space, rows: RowWriter): void {
  rows.begin(row, RowKind.space).text(name).text(terms.pick).optionalNumber(terms.capacity).text(terms.whenFull);
  rows.number(terms.maxScan).number(terms.history).end();
}

export function readSpace(setting: Setting, reader: RowReader): Space {
  const name = reader.text();
  const pick = reader.text() as NonNullable<SpaceSpec["pick"]>;
  const capacity = reader.optionalNumber();
  const whenFull = reader.text() as NonNullable<SpaceSpec["whenFull"]>;
  return new Space(setting, name, { pick, capacity, whenFull, maxScan: reader.number(), history: reader.number() });
}
