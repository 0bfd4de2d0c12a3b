/** `npm run build`: JavaScript and declarations of every publishable package, in its dist/. */
import { join } from "node:path";
import { compile } from "./compile.ts";
import { publishablePackages, root } from "./workspace.ts";

compile(({ folder }) => join(root, folder, "dist"));
process.stdout.write(`built ${publishablePackages().length} packages\n`);
