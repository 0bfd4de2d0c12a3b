/** Where things stand, how files are named, how long they are. */
import { targetsOf } from "./import-rules.ts";
import { isTest, packagesOf, type Repository, typescriptOf } from "./repository.ts";
import { functionsOf, headCommentOf, starExportsOf, statementsBesideExportLists } from "./syntax.ts";

const topLevel: ReadonlySet<string> = new Set([
  ...["package.json", "package-lock.json", "tsconfig.json", "biome.json", "vitest.config.ts", "docker-compose.yml"],
  ...["packages", "brokers", "test"],
  ...["README.md", "CONTRIBUTING.md", "LICENSE", "NOTICE"],
]);

/** Hidden files and folders are free; everything else at the top is named in the design. */
export function strangersAtTheTop(repository: Repository): readonly string[] {
  const entries = new Set([...repository.keys()].map((path) => path.split("/")[0] ?? ""));
  return [...entries]
    .filter((entry) => !entry.startsWith(".") && !topLevel.has(entry))
    .map((entry) => `${entry} stands at the top level, where the layout has no such thing`);
}

/** packages/ holds the places of the layout; a package holds package.json, README.md, src/ and perhaps examples/. */
export function strangersInPackages(repository: Repository): readonly string[] {
  const packages = packagesOf(repository);
  const found = packages
    .filter(({ place }) => targetsOf(place) === undefined)
    .map(({ folder }) => `${folder} is no place of the layout`);
  for (const path of repository.keys()) {
    if (!path.startsWith("packages/")) continue;
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`));
    const inside = owner === undefined ? path : path.slice(owner.folder.length + 1);
    if (owner === undefined) found.push(`${path} belongs to no package`);
    else if (!/^(package\.json|README\.md|(src|examples)\/.+)$/.test(inside)) found.push(`${path} stands beside src/`);
  }
  for (const { folder } of packages) {
    if (!repository.has(`${folder}/README.md`)) found.push(`${folder} has no README.md`);
  }
  return found;
}

const emptyNames: ReadonlySet<string> = new Set([
  "utils",
  "util",
  "helpers",
  "helper",
  "common",
  "shared",
  "misc",
  "types",
  "manager",
]);
const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** kebab-case nouns; no drawer for everything. */
export function badNames(repository: Repository): readonly string[] {
  const found: string[] = [];
  for (const [path] of typescriptOf(repository)) {
    const parts = path.replace(/(\.(test|test-d|bench|config))?\.ts$/, "").split("/");
    for (const part of parts) {
      const name = part.replace(/^\./, "");
      if (!kebabCase.test(name)) found.push(`${path}: ${part} is not kebab-case`);
      if (emptyNames.has(name) || name.split("-").some((word) => word === "utils" || word === "helpers")) {
        found.push(`${path}: ${part} says nothing about what is in it: name it after its noun`);
      }
    }
  }
  return found;
}

/** Lines of a file. A test tells its cases one after another, so it may be longer. */
const maxLines = 300;
const maxTestLines = 500;

/** A longer file says why in its head comment, with the words "over 300 lines" (a test: "over 500 lines"). */
export function longFiles(repository: Repository): readonly string[] {
  const found: string[] = [];
  for (const [path, text] of typescriptOf(repository)) {
    const limit = path.endsWith(".test.ts") ? maxTestLines : maxLines;
    const lines = text.replace(/\n$/, "").split("\n").length;
    if (lines <= limit || new RegExp(`over ${limit} lines`, "i").test(headCommentOf(text))) continue;
    found.push(
      `${path} has ${lines} lines: split it by noun, or say why it is over ${limit} lines in its head comment`,
    );
  }
  return found;
}

const maxFunctionLines = 60;

/** A function longer than that is several; where it cannot be, the file's head comment says so ("over 60 lines"). Tests are exempt. */
export function longFunctions(repository: Repository): readonly string[] {
  return typescriptOf(repository)
    .filter(([path, text]) => !isTest(path) && !/over 60 lines/i.test(headCommentOf(text)))
    .flatMap(([path, text]) =>
      functionsOf(path, text)
        .filter(({ lines }) => lines > maxFunctionLines)
        .map(({ line, lines }) => `${path}:${line} is a function of ${lines} lines: split it`),
    );
}

/** What a package offers can be read off its index: a list of names and nothing else. */
export function unnamedExports(repository: Repository): readonly string[] {
  const found: string[] = [];
  for (const [path, text] of typescriptOf(repository)) {
    for (const line of starExportsOf(path, text)) found.push(`${path}:${line} exports *: name what is exported`);
    if (!/^packages\/.+\/src\/(?:.+\/)?index\.ts$/.test(path)) continue;
    for (const line of statementsBesideExportLists(path, text)) {
      if (!starExportsOf(path, text).includes(line)) found.push(`${path}:${line} is more than a list of exports`);
    }
  }
  return found;
}
