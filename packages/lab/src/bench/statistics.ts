import { max, median, medianAbsoluteDeviation, min, quantileSorted, sampleWithReplacement } from "simple-statistics";

/** A handful of values from as many rounds. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** Median absolute deviation from the median. */
  readonly deviation: number;
  /** Where the median lies with 95 %, by the bootstrap. */
  readonly interval: readonly [low: number, high: number];
}

const resamples = 2_000;

/** Park and Miller's generator: the same interval for the same values, always. */
function generator(): () => number {
  let state = 20_261_126;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function bootstrap(values: readonly number[]): readonly [number, number] {
  const random = generator();
  const medians = Array.from({ length: resamples }, () =>
    median(sampleWithReplacement([...values], values.length, random)),
  ).sort((a, b) => a - b);
  return [quantileSorted(medians, 0.025), quantileSorted(medians, 0.975)];
}

/** Throws for no values. */
export function summaryOf(values: readonly number[]): Summary {
  const copy = [...values];
  return {
    median: median(copy),
    min: min(copy),
    max: max(copy),
    deviation: medianAbsoluteDeviation(copy),
    interval: bootstrap(values),
  };
}
