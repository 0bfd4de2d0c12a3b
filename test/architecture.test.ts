/**
 * The rules of the house, each a function from the repository's text to a list of violations. Every rule is also tried
 * on a repository with that violation planted in it, so that a rule that has gone blind fails here.
 */
import { describe, expect, it } from "vitest";
import {
  forbiddenImports,
  misplacedLibraries,
  packageCycles,
  reachesAround,
  undeclaredImports,
  unusedDependencies,
} from "./architecture/import-rules.ts";
import {
  badNames,
  longFiles,
  longFunctions,
  strangersAtTheTop,
  strangersInPackages,
  unnamedExports,
} from "./architecture/layout-rules.ts";
import { incompleteLock, undecidedScripts, unevenManifests } from "./architecture/manifest-rules.ts";
import { type Repository, readRepository } from "./architecture/repository.ts";
import { tooNew } from "./architecture/runtime-rules.ts";
import { setAsideTests } from "./architecture/test-rules.ts";

type Rule = (repository: Repository) => readonly string[];

/** A sound repository of two packages, in which violations are planted. */
function sound(): Map<string, string> {
  const manifest = (name: string, dependencies: object): string =>
    JSON.stringify({
      name: `@quadrant/${name}`,
      version: "1.0.0",
      license: "Apache-2.0",
      type: "module",
      engines: { node: ">=22.18" },
      exports: { ".": "./src/index.ts" },
      files: ["dist", "README.md"],
      dependencies,
    });
  return new Map([
    ["package.json", JSON.stringify({ name: "root", version: "1.0.0", devDependencies: { vitest: "1.0.0" } })],
    ["README.md", ""],
    ["packages/contract/package.json", manifest("contract", {})],
    ["packages/contract/README.md", ""],
    ["packages/contract/src/index.ts", 'export { a } from "./a.ts";\n'],
    ["packages/contract/src/a.ts", "export const a = 1;\n"],
    ["packages/rx/package.json", manifest("rx", { "@quadrant/contract": "1.0.0", rxjs: "7.0.0" })],
    ["packages/rx/README.md", ""],
    ["packages/rx/src/index.ts", 'export { b } from "./b.ts";\n'],
    [
      "packages/rx/src/b.ts",
      'import { a } from "@quadrant/contract";\nimport { of } from "rxjs";\nexport const b = of(a);\n',
    ],
    ["packages/rx/src/b.test.ts", 'import { it } from "vitest";\nit("b", () => {});\n'],
  ]);
}

function planted(files: Readonly<Record<string, string>>): Repository {
  const repository = sound();
  for (const [path, text] of Object.entries(files)) repository.set(path, text);
  return repository;
}

function changed(path: string, change: (manifest: Record<string, unknown>) => void): Readonly<Record<string, string>> {
  const manifest = JSON.parse(sound().get(path) ?? "{}");
  change(manifest);
  return { [path]: JSON.stringify(manifest) };
}

const contract = "packages/contract/package.json";
const source = "packages/contract/src/a.ts";

/** Rule, what it says, and violations that it must see. */
const rules: readonly (readonly [
  title: string,
  rule: Rule,
  violations: readonly Readonly<Record<string, string>>[],
])[] = [
  [
    "packages import only what the layout lets them",
    forbiddenImports,
    [
      { [source]: 'import { b } from "@quadrant/rx";\n' },
      { [source]: 'import type { B } from "@quadrant/rx";\n' },
      { [source]: 'export type { B } from "@quadrant/rx";\n' },
      { [source]: 'const rx = await import("@quadrant/rx");\n' },
      { [source]: 'type B = import("@quadrant/rx").B;\n' },
      { [source]: 'import { a } from "@quadrant/contract";\n' },
      changed(contract, (manifest) => {
        manifest.dependencies = { "@quadrant/rx": "1.0.0" };
      }),
    ],
  ],
  [
    "every import is declared where it is used",
    undeclaredImports,
    [
      { [source]: 'import { of } from "rxjs";\n' },
      { [source]: 'import { it } from "vitest";\n' },
      { [source]: 'import { readFile } from "fs/promises";\n' },
      { "packages/rx/src/b.test.ts": 'import { z } from "zod";\n' },
      { "test/a.test.ts": 'import { z } from "zod";\n' },
    ],
  ],
  [
    "every declared dependency is imported",
    unusedDependencies,
    [
      { "packages/rx/src/b.ts": 'import { a } from "@quadrant/contract";\nexport const b = a;\n' },
      changed("packages/rx/package.json", (manifest) => {
        manifest.devDependencies = { zod: "1.0.0" };
      }),
    ],
  ],
  [
    "packages are reached through their exports",
    reachesAround,
    [
      { "packages/rx/src/b.ts": 'import { a } from "../../contract/src/a.ts";\n' },
      { "packages/rx/src/b.ts": 'import { a } from "@quadrant/contract/src/a.ts";\n' },
      { "test/a.test.ts": 'import { a } from "../packages/contract/src/a.ts";\n' },
    ],
  ],
  [
    "packages form no circle",
    packageCycles,
    [
      { [source]: 'import { b } from "@quadrant/rx";\n' },
      changed(contract, (manifest) => {
        manifest.dependencies = { "@quadrant/rx": "1.0.0" };
      }),
    ],
  ],
  [
    "rxjs and sockets stay where they belong",
    misplacedLibraries,
    [
      { [source]: 'import { of } from "rxjs";\n' },
      { [source]: 'import { connect } from "node:net";\n' },
      changed(contract, (manifest) => {
        manifest.dependencies = { msgpackr: "1.0.0" };
      }),
    ],
  ],
  ["the top level holds what the design names", strangersAtTheTop, [{ "docs/index.md": "" }, { "helper.ts": "" }]],
  [
    "packages hold a manifest, a README and sources, and stand in their places",
    strangersInPackages,
    [
      { "packages/gateway/package.json": "{}", "packages/gateway/src/index.ts": "", "packages/gateway/README.md": "" },
      { "packages/contract/lib/a.ts": "" },
      { "packages/rx-extra/a.ts": "" },
      changed("packages/models/rpc/package.json", (manifest) => {
        manifest.name = "@quadrant/rpc";
      }),
    ],
  ],
  [
    "files are named after their noun, in kebab-case",
    badNames,
    [
      { "packages/contract/src/utils.ts": "" },
      { "packages/contract/src/types.ts": "" },
      { "packages/contract/src/helpers/a.ts": "" },
      { "packages/contract/src/tupleText.ts": "" },
      { "packages/contract/src/Trie.test.ts": "" },
    ],
  ],
  [
    "a file of more than 300 lines says why",
    longFiles,
    [
      { [source]: "\n".repeat(302) },
      { [source]: `/** A parser. */${"\n".repeat(302)}` },
      { "packages/contract/src/a.test.ts": "\n".repeat(502) },
    ],
  ],
  [
    "a function has at most 60 lines",
    longFunctions,
    [
      { [source]: `export function a(): void {${"\n".repeat(61)}}\n` },
      { [source]: `export const a = (): void => {${"\n".repeat(61)}};\n` },
      { [source]: `export class A { a(): void {${"\n".repeat(61)}} }\n` },
    ],
  ],
  [
    "an index is a list of names, and nothing exports *",
    unnamedExports,
    [
      { "packages/contract/src/index.ts": 'export * from "./a.ts";\n' },
      { "packages/contract/src/index.ts": 'export * as all from "./a.ts";\n' },
      { [source]: 'export * from "./b.ts";\n' },
      { "packages/contract/src/index.ts": "export const a = 1;\n" },
      { "packages/contract/src/index.ts": 'import { a } from "./a.ts";\na();\n' },
    ],
  ],
  [
    "manifests are alike",
    unevenManifests,
    [
      changed(contract, (manifest) => {
        manifest.name = "@quadrant/core";
      }),
      changed(contract, (manifest) => {
        manifest.version = "1.0.1";
      }),
      changed(contract, (manifest) => {
        manifest.exports = { ".": "./dist/index.js" };
      }),
      changed(contract, (manifest) => {
        manifest.exports = { ".": "./src/index.ts", "./gone": "./src/gone.ts" };
      }),
      changed("packages/rx/package.json", (manifest) => {
        manifest.dependencies = { "@quadrant/contract": "^1.0.0" };
      }),
    ],
  ],
  [
    "the lock file serves any platform and any registry",
    incompleteLock,
    [
      { "package-lock.json": '{"packages":{"node_modules/a":{"resolved":"https://example.com/a.tgz"}}}' },
      { "package-lock.json": '{"packages":{"node_modules/a":{"optionalDependencies":{"a-win32":"1.0.0"}}}}' },
    ],
  ],
  [
    "install scripts are allowed or refused by name",
    undecidedScripts,
    [{ "package-lock.json": '{"packages":{"node_modules/@a/b":{"hasInstallScript":true}}}' }],
  ],
  [
    "sources run on the oldest Node that the manifests name",
    tooNew,
    [
      { [source]: "export async function a(b: AsyncDisposable): Promise<void> {\n  await using _ = b;\n}\n" },
      { [source]: "export function a(b: Disposable): void {\n  using _ = b;\n}\n" },
      { [source]: "export const a = new AsyncDisposableStack();\n" },
    ],
  ],
  [
    "no test is set aside",
    setAsideTests,
    [
      { "test/a.test.ts": 'it.only("a", () => {});\n' },
      { "test/a.test.ts": 'it.skip("a", () => {});\n' },
      { "test/a.test.ts": 'it.todo("a");\n' },
      { "test/a.test.ts": 'describe.each([1]).skip("a", () => {});\n' },
      { "test/a.test.ts": 'it.skipIf(true)("a", () => {});\n' },
      { "test/a.test.ts": 'it("a", { skip: true }, () => {});\n' },
      { "test/a.test.ts": 'it("a", (context) => context.skip());\n' },
      { "test/a.test.ts": 'xit("a", () => {});\n' },
    ],
  ],
];

const repository = readRepository(new URL("..", import.meta.url).pathname);

describe("the repository", () => {
  it.each(rules)("%s", (_title, rule) => {
    expect(rule(repository)).toEqual([]);
  });
});

describe("a rule sees what it forbids", () => {
  it.each(rules)("%s", (_title, rule, violations) => {
    expect(rule(sound())).toEqual([]);
    for (const files of violations) {
      expect(rule(planted(files)), JSON.stringify(files)).not.toEqual([]);
    }
  });

  it("and is not misled by comments and strings", () => {
    const text =
      '/** import { b } from "@quadrant/rx"; it.only() */\nexport const a = \'export * from "rxjs"; it.skip()\';\n';
    for (const [title, rule] of rules) expect(rule(planted({ [source]: text })), title).toEqual([]);
  });

  it("and lets a long file be that says why", () => {
    expect(longFiles(planted({ [source]: `/** Over 300 lines: one table. */${"\n".repeat(400)}` }))).toEqual([]);
  });

  it("and lets tests import what sources may not", () => {
    const files = changed(contract, (manifest) => {
      manifest.devDependencies = { "@quadrant/rx": "1.0.0" };
    });
    const test = { "packages/contract/src/a.test.ts": 'import { b } from "@quadrant/rx";\n' };
    for (const [title, rule] of rules) expect(rule(planted({ ...files, ...test })), title).toEqual([]);
  });
});
