export { openSpace } from "./open-space.ts";
