/** Stands where the hub stands and passes raw messages on. */
import { rawRelay } from "../ways/raw-call.ts";
import { play } from "./role.ts";

play<{ open: { server: string } }>({ open: ({ server }) => rawRelay(server) });
