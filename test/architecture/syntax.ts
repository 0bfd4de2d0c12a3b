/** What the rules need to know of a source file, read from its syntax tree: comments and strings do not count. */
import { parseAst } from "vitest/node";

export interface Import {
  readonly specifier: string;
  readonly line: number;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function visit(node: Node, look: (node: Node) => void): void {
  look(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, look);
  }
}

const trees = new Map<string, Node>();

function treeOf(path: string, text: string): Node {
  const known = trees.get(text);
  if (known !== undefined) return known;
  try {
    const tree = parseAst(text, { lang: "ts" }) as unknown as Node;
    trees.set(text, tree);
    return tree;
  } catch (cause) {
    throw new Error(`${path} cannot be parsed`, { cause });
  }
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

const importing: Readonly<Record<string, true>> = {
  ImportDeclaration: true,
  ExportNamedDeclaration: true,
  ExportAllDeclaration: true,
  ImportExpression: true,
  TSImportType: true,
};

/** Static, dynamic and type imports, and re-exports. A dynamic import of something computed is not seen. */
export function importsOf(path: string, text: string): readonly Import[] {
  const imports: Import[] = [];
  visit(treeOf(path, text), (node) => {
    if (importing[node.type] !== true || !isNode(node.source)) return;
    const { value } = node.source as { value?: unknown };
    if (typeof value === "string") imports.push({ specifier: value, line: lineAt(text, node.start) });
  });
  return imports;
}

/** The lines of `export * from`. */
export function starExportsOf(path: string, text: string): readonly number[] {
  const lines: number[] = [];
  visit(treeOf(path, text), (node) => {
    if (node.type === "ExportAllDeclaration") lines.push(lineAt(text, node.start));
  });
  return lines;
}

/** The lines of top-level statements that are not `export { … } from` or `export type { … } from`. */
export function statementsBesideExportLists(path: string, text: string): readonly number[] {
  const body = treeOf(path, text).body as readonly Node[];
  return body
    .filter((node) => node.type !== "ExportNamedDeclaration" || isNode(node.declaration))
    .map((node) => lineAt(text, node.start));
}

const functions: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);

/** First line and length, in lines, of every function that has a body. */
export function functionsOf(path: string, text: string): readonly { readonly line: number; readonly lines: number }[] {
  const found: { line: number; lines: number }[] = [];
  visit(treeOf(path, text), (node) => {
    if (!functions.has(node.type) || !isNode(node.body)) return;
    found.push({ line: lineAt(text, node.start), lines: text.slice(node.start, node.end).split("\n").length });
  });
  return found;
}

const disposableStacks: ReadonlySet<string> = new Set(["DisposableStack", "AsyncDisposableStack"]);

/** The lines of `using` and `await using`, and of the stacks that come with them. */
export function usingOf(path: string, text: string): readonly number[] {
  const lines: number[] = [];
  visit(treeOf(path, text), (node) => {
    const declares = node.type === "VariableDeclaration" && (node.kind === "using" || node.kind === "await using");
    const makes = node.type === "NewExpression" && disposableStacks.has(nameOf(node.callee));
    if (declares || makes) lines.push(lineAt(text, node.start));
  });
  return lines;
}

const testFunctions: ReadonlySet<string> = new Set(["it", "test", "describe", "suite", "bench"]);
const setAside: ReadonlySet<string> = new Set(["only", "skip", "todo", "skipIf", "runIf"]);
const setAsideNames: ReadonlySet<string> = new Set(["xit", "xtest", "xdescribe", "fit", "fdescribe"]);

/** The lines of tests that are skipped, focused or only planned: `it.skip`, `it.each(…)…only`, `{ todo: true }`, `context.skip()`. */
export function setAsideTestsOf(path: string, text: string): readonly number[] {
  const lines: number[] = [];
  visit(treeOf(path, text), (node) => {
    if (node.type === "MemberExpression" && setAside.has(nameOf(node.property))) {
      const owner = rootNameOf(node.object);
      if (testFunctions.has(owner) || owner === "context" || owner === "ctx") lines.push(lineAt(text, node.start));
    }
    if (node.type !== "CallExpression") return;
    if (setAsideNames.has(nameOf(node.callee))) lines.push(lineAt(text, node.start));
    if (!testFunctions.has(rootNameOf(node.callee))) return;
    for (const argument of node.arguments as readonly Node[]) {
      if (argument.type !== "ObjectExpression") continue;
      for (const property of argument.properties as readonly Node[]) {
        if (setAside.has(nameOf(property.key))) lines.push(lineAt(text, property.start));
      }
    }
  });
  return lines;
}

function nameOf(node: unknown): string {
  return isNode(node) && node.type === "Identifier" ? String(node.name) : "";
}

/** `it` of `it`, `it.each`, `it.each([…])`, `it.concurrent.skip`. */
function rootNameOf(node: unknown): string {
  if (!isNode(node)) return "";
  if (node.type === "MemberExpression") return rootNameOf(node.object);
  if (node.type === "CallExpression" || node.type === "TaggedTemplateExpression") {
    return rootNameOf(node.callee ?? node.tag);
  }
  return nameOf(node);
}

/** The comment before the first statement, or "". */
export function headCommentOf(text: string): string {
  return /^(?:#![^\n]*\n)?\s*((?:\/\*[\s\S]*?\*\/\s*|\/\/[^\n]*\n\s*)+)/.exec(text)?.[1] ?? "";
}
