export type { BrokerKind, BrokerOptions, Faults, Member, RestartOptions, StartedBroker, Way } from "./broker.ts";
export { installBrokers } from "./installation.ts";
export { startBroker } from "./start.ts";
