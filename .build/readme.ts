/** `npm run readme`: writes the README's driver table anew. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { askDrivers, driverTable, withTable } from "./driver-table.ts";
import { root } from "./workspace.ts";

const path = join(root, "README.md");
writeFileSync(path, withTable(readFileSync(path, "utf8"), driverTable(await askDrivers())));
