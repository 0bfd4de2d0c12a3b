/** Sources run on the oldest Node that the manifests name. */
import { isTest, type Repository, typescriptOf } from "./repository.ts";
import { usingOf } from "./syntax.ts";

/** Node 22 knows neither `await using` nor AsyncDisposableStack: sources dispose in `finally`. */
export function tooNew(repository: Repository): readonly string[] {
  return typescriptOf(repository)
    .filter(([path]) => /^packages\/.*\/src\//.test(path) && !isTest(path))
    .flatMap(([path, text]) =>
      usingOf(path, text).map((line) => `${path}:${line} needs Node 24 (using): dispose in a finally block`),
    );
}
