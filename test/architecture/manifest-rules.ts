/** Manifests and the lock file: alike in every package, and enough for `npm ci` on any platform and from any registry. */
import { type Manifest, packagesOf, type Repository, rootManifest } from "./repository.ts";

const files: readonly string[] = ["dist", "README.md"];

/** Each package is published as itself: its name is its folder's, its version the root's, its exports lead into src/ (dist/ when packed). */
export function unevenManifests(repository: Repository): readonly string[] {
  const { version } = rootManifest(repository);
  const packages = packagesOf(repository);
  const names = new Set(packages.map(({ manifest }) => manifest.name));
  return packages.flatMap(({ folder, place, manifest }) => {
    const say: string[] = [];
    const want = (what: string, is: unknown, wanted: unknown): void => {
      if (JSON.stringify(is) !== JSON.stringify(wanted))
        say.push(`${what} is ${JSON.stringify(is)}, not ${JSON.stringify(wanted)}`);
    };
    want("name", manifest.name, `@quadrant/${place.split("/").at(-1)}`);
    want("version", manifest.version, version);
    want("license", manifest.license, "Apache-2.0");
    want("type", manifest.type, "module");
    want("engines.node", manifest.engines?.node, ">=22.18");
    want("files", manifest.files, files);
    for (const target of [...Object.values(manifest.exports ?? {}), ...Object.values(manifest.bin ?? {})]) {
      if (!/^\.\/src\/.+\.ts$/.test(target)) say.push(`${target} is not a file of src/`);
      else if (!repository.has(`${folder}/${target.slice(2)}`)) say.push(`${target} does not exist`);
    }
    if (Object.keys(manifest.exports ?? {}).length === 0) say.push("exports nothing");
    const { dependencies, devDependencies, peerDependencies } = manifest;
    for (const [name, range] of Object.entries({ ...dependencies, ...devDependencies, ...peerDependencies })) {
      if (names.has(name)) want(`the version of ${name}`, range, version);
    }
    return say.map((what) => `${folder}/package.json: ${what}`);
  });
}

interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}
interface LockEntry {
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

function lockOf(repository: Repository): Lock {
  return JSON.parse(repository.get("package-lock.json") ?? '{"packages":{}}');
}

/**
 * npm leaves out of the lock file the optional packages that the registry at hand does not offer (binaries of other
 * platforms), and then `npm ci` refuses it. It also writes download addresses unless told not to.
 */
export function incompleteLock(repository: Repository): readonly string[] {
  const { packages } = lockOf(repository);
  return Object.entries(packages).flatMap(([key, entry]) => {
    const say: string[] = [];
    if (entry.resolved?.startsWith("http")) say.push(`package-lock.json: ${key} has a download address`);
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      if (packages[`node_modules/${name}`] ?? packages[`${key}/node_modules/${name}`]) continue;
      say.push(`package-lock.json: ${name}, optional for ${key}, has no entry, so npm ci fails`);
    }
    return say;
  });
}

/** npm asks that each package with an install script is approved or refused by name. */
export function undecidedScripts(repository: Repository): readonly string[] {
  const root = rootManifest(repository) as Manifest & { readonly allowScripts?: Readonly<Record<string, boolean>> };
  return Object.entries(lockOf(repository).packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript === true)
    .map(([key]) => key.split("node_modules/").at(-1) ?? key)
    .filter((name) => root.allowScripts?.[name] === undefined)
    .map((name) => `package.json: allowScripts does not decide on ${name}`);
}
