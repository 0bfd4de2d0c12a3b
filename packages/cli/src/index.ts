export type { Io, StopSignal, Terminal } from "./io.ts";
export { main } from "./program.ts";
