/** Who may import whom, and that every import is declared where it is used. */
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { isTest, type Package, packagesOf, type Repository, rootManifest, typescriptOf } from "./repository.ts";
import { importsOf } from "./syntax.ts";

/** The layout: each place in packages/, and the places it may import. `*` stands for one folder; "all" for every place. */
const allowed: readonly (readonly [place: string, targets: readonly string[]])[] = [
  ["contract", []],
  ["engine", ["contract"]],
  ["models/*", ["contract"]],
  ["rx", ["contract"]],
  ["dashboard", ["contract"]],
  ["drivers/memory", ["contract", "engine"]],
  ["drivers/zeromq", ["contract", "engine"]],
  ["drivers/nats", ["contract", "engine"]],
  ["drivers/*", ["contract"]],
  ["bus", ["drivers/*", "models/*", "contract"]],
  ["services/*", ["bus", "rx"]],
  ["testkit", ["contract", "bus", "drivers/zeromq"]],
  ["lab", ["services/*", "bus", "testkit"]],
  ["cli", ["*", "*/*"]],
];

function covers(pattern: string, place: string): boolean {
  const tokens = pattern.split("/");
  const parts = place.split("/");
  return tokens.length === parts.length && tokens.every((token, at) => token === "*" || token === parts[at]);
}

/** Undefined for a place that the layout does not have. */
export function targetsOf(place: string): readonly string[] | undefined {
  return allowed.find(([pattern]) => covers(pattern, place))?.[1];
}

function mayImport(from: Package, to: Package, specifier: string): boolean {
  if (from.place === "cli" && to.place === "testkit") return specifier === `${to.manifest.name}/history`;
  return (targetsOf(from.place) ?? []).some((pattern) => covers(pattern, to.place));
}

function packageNameOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith("./") || specifier.startsWith("../");
}

interface Use {
  readonly path: string;
  readonly line: number;
  readonly specifier: string;
  /** The package the importing file belongs to; undefined for what stands outside of packages/. */
  readonly owner: Package | undefined;
}

function usesOf(repository: Repository): readonly Use[] {
  const packages = packagesOf(repository);
  return typescriptOf(repository).flatMap(([path, text]) => {
    const owner = packages.find(({ folder }) => path.startsWith(`${folder}/`));
    return importsOf(path, text).map(({ specifier, line }) => ({ path, line, specifier, owner }));
  });
}

/** Imports between packages follow the layout, in sources and in manifests. Tests and devDependencies are exempt. */
export function forbiddenImports(repository: Repository): readonly string[] {
  const packages = packagesOf(repository);
  const byName = new Map(packages.map((each) => [each.manifest.name, each]));
  const found: string[] = [];
  for (const { path, line, specifier, owner } of usesOf(repository)) {
    const target = byName.get(packageNameOf(specifier));
    if (owner === undefined || target === undefined || isTest(path)) continue;
    if (target === owner) found.push(`${path}:${line} imports its own package by name: use a relative path`);
    else if (!mayImport(owner, target, specifier)) {
      found.push(`${path}:${line} ${owner.place} may not import ${specifier} (${target.place})`);
    }
  }
  for (const owner of packages) {
    const { dependencies, peerDependencies, optionalDependencies } = owner.manifest;
    for (const name of Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })) {
      const target = byName.get(name);
      const subpathOnly = owner.place === "cli" && target?.place === "testkit";
      if (target !== undefined && !subpathOnly && !mayImport(owner, target, name)) {
        found.push(`${owner.folder}/package.json ${owner.place} may not depend on ${name} (${target.place})`);
      }
    }
  }
  return found;
}

/** Every package a file imports stands in its manifest: for a test devDependencies count, and what the root offers to all tests. */
export function undeclaredImports(repository: Repository): readonly string[] {
  const root = rootManifest(repository);
  const workspace = packagesOf(repository).map(({ manifest }) => manifest.name);
  const found: string[] = [];
  for (const { path, line, specifier, owner } of usesOf(repository)) {
    if (isRelative(specifier) || specifier.startsWith("node:")) continue;
    if (builtinModules.includes(specifier)) {
      found.push(`${path}:${line} imports ${specifier}: write node:${specifier}`);
      continue;
    }
    const { dependencies, peerDependencies, optionalDependencies, devDependencies } = owner?.manifest ?? root;
    const declared = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
    if (owner === undefined) declared.push(...Object.keys({ ...devDependencies }), ...workspace);
    // An example names its own package as its users do.
    else if (isTest(path))
      declared.push(owner.manifest.name, ...Object.keys({ ...devDependencies, ...root.devDependencies }));
    const name = packageNameOf(specifier);
    if (!declared.includes(name)) {
      const where = isTest(path) ? "devDependencies" : "dependencies";
      found.push(
        `${path}:${line} imports ${name}, which ${owner?.folder ?? "."}/package.json does not list in ${where}`,
      );
    }
  }
  return found;
}

/** A dependency that nothing imports. Types and the runtime are used without an import. */
export function unusedDependencies(repository: Repository): readonly string[] {
  const uses = usesOf(repository);
  return packagesOf(repository).flatMap((owner) => {
    const own = uses.filter((use) => use.owner === owner || use.owner?.folder === owner.folder);
    const imported = new Set(own.filter(({ path }) => !isTest(path)).map(({ specifier }) => packageNameOf(specifier)));
    const tested = new Set(own.map(({ specifier }) => packageNameOf(specifier)));
    const { dependencies, devDependencies } = owner.manifest;
    return [
      ...Object.keys(dependencies ?? {}).filter((name) => !imported.has(name)),
      ...Object.keys(devDependencies ?? {}).filter((name) => !tested.has(name) && !name.startsWith("@types/")),
    ].map((name) => `${owner.folder}/package.json lists ${name}, which nothing there imports`);
  });
}

/** Another package is reached through its exports, never through its folder. */
export function reachesAround(repository: Repository): readonly string[] {
  const byName = new Map(packagesOf(repository).map((each) => [each.manifest.name, each]));
  const found: string[] = [];
  for (const { path, line, specifier, owner } of usesOf(repository)) {
    if (isRelative(specifier)) {
      const target = posix.join(posix.dirname(path), specifier);
      const home = owner?.folder;
      if (home === undefined ? target.startsWith("packages/") : !target.startsWith(`${home}/`)) {
        found.push(`${path}:${line} reaches ${target} around its package: import the package by name`);
      }
      continue;
    }
    const target = byName.get(packageNameOf(specifier));
    if (target === undefined) continue;
    const subpath = `.${specifier.slice(target.manifest.name.length)}`;
    if (target.manifest.exports?.[subpath] === undefined) {
      found.push(`${path}:${line} imports ${specifier}, which ${target.folder}/package.json does not export`);
    }
  }
  return found;
}

/** Packages form no circle, by imports of sources or by manifests. */
export function packageCycles(repository: Repository): readonly string[] {
  const packages = packagesOf(repository);
  const edges = new Map<string, Set<string>>();
  for (const { manifest } of packages) edges.set(manifest.name, new Set(Object.keys(manifest.dependencies ?? {})));
  for (const { path, specifier, owner } of usesOf(repository)) {
    const target = packageNameOf(specifier);
    if (owner !== undefined && !isTest(path) && target !== owner.manifest.name)
      edges.get(owner.manifest.name)?.add(target);
  }
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (name: string, trail: readonly string[]): void => {
    const at = trail.indexOf(name);
    if (at >= 0) found.add([...trail.slice(at), name].join(" → "));
    if (at >= 0 || done.has(name)) return;
    for (const next of edges.get(name) ?? []) if (edges.has(next)) walk(next, [...trail, name]);
    done.add(name);
  };
  for (const name of edges.keys()) walk(name, []);
  return [...found];
}

const rxUsers: readonly string[] = ["rx", "services/*"];
const sockets: ReadonlySet<string> = new Set([
  ...[
    "node:net",
    "node:tls",
    "node:dgram",
    "node:http",
    "node:https",
    "node:http2",
    "node:child_process",
    "node:cluster",
  ],
  ...["zeromq", "ioredis"],
]);

/** rxjs stays in rx and in services that use its operators; the contract depends on nothing; neither it nor the engine opens a socket. */
export function misplacedLibraries(repository: Repository): readonly string[] {
  const found: string[] = [];
  for (const { path, line, specifier, owner } of usesOf(repository)) {
    if (owner === undefined || isTest(path)) continue;
    const name = packageNameOf(specifier);
    if (name === "rxjs" && !rxUsers.some((pattern) => covers(pattern, owner.place))) {
      found.push(`${path}:${line} imports rxjs, which only rx and services may`);
    }
    if ((owner.place === "engine" || owner.place === "contract") && sockets.has(name)) {
      found.push(`${path}:${line} ${owner.place} has no sockets and no processes, yet imports ${name}`);
    }
  }
  for (const { folder, place, manifest } of packagesOf(repository)) {
    const names = Object.keys(manifest.dependencies ?? {});
    if (place === "contract" && names.length > 0) found.push(`${folder}/package.json depends on ${names.join(", ")}`);
  }
  return found;
}
