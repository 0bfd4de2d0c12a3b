/** Compiles every publishable package: one run of tsc over all of them, since each reads the others' sources. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publishablePackages, root, type WorkspacePackage } from "./workspace.ts";

/** Puts the JavaScript and the declarations of each package into the folder that `distOf` names, emptied before. */
export function compile(distOf: (each: WorkspacePackage) => string): void {
  const scratch = mkdtempSync(join(tmpdir(), "quadrant-build-"));
  try {
    // What runs in a browser has other globals.
    for (const project of ["tsconfig.json", "tsconfig.page.json"]) emit(project, scratch);
    for (const each of publishablePackages()) {
      const dist = distOf(each);
      rmSync(dist, { recursive: true, force: true });
      cpSync(join(scratch, each.folder, "src"), dist, { recursive: true });
      for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) finish(join(dist, file));
      addStyles(join(root, each.folder, "src"), dist);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function emit(project: string, outDir: string): void {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const options = ["-p", join(root, ".build", project), "--outDir", outDir];
  const { status } = spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("tsc refused the sources, as said above");
}

/** Style sheets go along as they are. */
function addStyles(source: string, dist: string): void {
  const styles = readdirSync(source, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".css"));
  for (const name of styles) cpSync(join(source, name), join(dist, name));
}

/** tsc writes `.js` for `.ts` in the imports of JavaScript; declarations and the paths of worker files are left to us. */
function finish(path: string): void {
  if (!path.endsWith(".js") && !path.endsWith(".d.ts")) return;
  const text = readFileSync(path, "utf8");
  const finished = path.endsWith(".d.ts")
    ? text.replace(/((?:from|import) "|import\(")(\.{1,2}\/[^"\n]+)\.ts"/g, '$1$2.js"')
    : text.replace(/(["'`])(\.{1,2}\/[\w./-]+)\.ts\1/g, "$1$2.js$1");
  if (finished !== text) writeFileSync(path, finished);
}
