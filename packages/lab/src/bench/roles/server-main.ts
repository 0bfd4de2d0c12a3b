/** Answers calls: echoes what it was called with. */
import { openService, type ServiceWay } from "../ways/way.ts";
import { play } from "./role.ts";

play<{ open: { way: ServiceWay; url?: string } }>({
  /** Resolves with where it listens, where it is not the broker that does. */
  open: ({ way, url }) => openService(way, url ?? ""),
});
