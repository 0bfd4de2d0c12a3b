export { type Clock, systemClock } from "./clock.ts";
export { Engine } from "./engine.ts";
export type { EngineSession, RevocableTuple, RevocableTupleList, RevocableTuples } from "./session.ts";
export type { EngineOptions } from "./setting.ts";
export { SubjectTrie } from "./trie.ts";
export { VirtualClock } from "./virtual-clock.ts";
