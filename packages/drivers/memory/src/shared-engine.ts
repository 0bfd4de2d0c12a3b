import { Engine } from "@quadrant/engine";

interface Shared {
  readonly engine: Engine;
  users: number;
}

/** The named engines of this process, each as long as it is used. */
const engines = new Map<string, Shared>();

/** The engine of that name, or a new one that nobody else gets for "". Call `leave` when done; the last one closes it. */
export function joinEngine(name: string): { readonly engine: Engine; leave(): void } {
  const shared = engines.get(name) ?? { engine: new Engine({ driver: "memory" }), users: 0 };
  if (name !== "") engines.set(name, shared);
  shared.users++;
  return {
    engine: shared.engine,
    leave: () => {
      if (--shared.users > 0) return;
      if (engines.get(name) === shared) engines.delete(name);
      shared.engine.close();
    },
  };
}
