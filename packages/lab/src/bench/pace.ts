import { payloadBytes, payloadMaker } from "./payload.ts";

/**
 * What the machine on which the bars were set does at rest: JSON round trips of 128 B a second on one core. Virtual
 * machines of one kind differ from it, and from themselves an hour ago, by a factor of three.
 */
const referencePerSecond = 982_000;
const takesMs = 40;
const roundTripsPerLook = 500;

/** How quick this machine is at the moment, relative to that one: an estimate, by which figures that are no ratios can be read. */
export function pace(): number {
  const make = payloadMaker(payloadBytes.small);
  const beganMs = performance.now();
  let count = 0;
  let tookMs = 0;
  for (; tookMs < takesMs; tookMs = performance.now() - beganMs) {
    for (const end = count + roundTripsPerLook; count < end; count++) JSON.parse(JSON.stringify(make(count)));
  }
  return (count * 1_000) / tookMs / referencePerSecond;
}
