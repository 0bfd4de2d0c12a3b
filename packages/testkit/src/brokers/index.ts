export { type StartedBroker, startBroker } from "./broker.ts";
