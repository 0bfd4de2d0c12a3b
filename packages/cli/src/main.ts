#!/usr/bin/env node
import { processIo } from "./io.ts";
import { endWithParent } from "./parent.ts";
import { main } from "./program.ts";

endWithParent();
const code = await main(process.argv.slice(2), processIo());
// All is drained and written by now. What may still be open is an unread stdin, which would keep the process.
process.exit(code);
