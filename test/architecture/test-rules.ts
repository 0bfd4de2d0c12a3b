/** Tests that are written down run. */
import { isTest, type Repository, typescriptOf } from "./repository.ts";
import { setAsideTestsOf } from "./syntax.ts";

/** No test is skipped, focused or only planned. What a driver cannot do is an exemption of the suite, which runs and must fail. */
export function setAsideTests(repository: Repository): readonly string[] {
  return typescriptOf(repository)
    .filter(([path]) => isTest(path) || path.startsWith("packages/testkit/"))
    .flatMap(([path, text]) => setAsideTestsOf(path, text).map((line) => `${path}:${line} sets a test aside`));
}
