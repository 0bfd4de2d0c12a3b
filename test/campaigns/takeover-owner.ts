/** Owns the tuple spaces of a server, or stands by; `node takeover-owner.ts URL`, says "ready" and ends with its parent. */
import { connect } from "@quadrant/bus";

process.once("disconnect", () => process.exit(0));
const url = new URL(process.argv[2]!);
url.searchParams.set("owner", "prefer");
const bus = await connect(url.href, { name: "owner", timeoutMs: 60_000, requestTimeoutMs: 60_000 });
await bus.space("takeover");
process.send?.("ready");
