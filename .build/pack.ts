/**
 * `npm run pack [FOLDER]`: what would be published, as tarballs in FOLDER (default dist/). A tarball is packed from a
 * staging folder, since the published manifest leads to dist/ and the repository's to src/.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compile } from "./compile.ts";
import { publishedManifest } from "./published-manifest.ts";
import { publishablePackages, root } from "./workspace.ts";

const target = resolve(process.argv[2] ?? join(root, "dist"));
mkdirSync(target, { recursive: true });
const scratch = mkdtempSync(join(tmpdir(), "quadrant-pack-"));
try {
  compile(({ folder }) => join(scratch, folder, "dist"));
  const staged = publishablePackages().map(({ folder, manifest }) => {
    const stage = join(scratch, folder);
    writeFileSync(join(stage, "package.json"), `${JSON.stringify(publishedManifest(manifest), null, 2)}\n`);
    for (const name of ["LICENSE", "NOTICE"]) copyFileSync(join(root, name), join(stage, name));
    const readme = join(root, folder, "README.md");
    if (existsSync(readme)) copyFileSync(readme, join(stage, "README.md"));
    return stage;
  });
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  execFileSync(npm, ["pack", ...staged, "--silent", "--pack-destination", target], { cwd: root, stdio: "inherit" });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
