import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/**
 * A port that nobody listens at. It is none of those that systems give to outgoing connections (from 32768 on), so that it
 * stays free while the broker on it is down: otherwise a client that keeps trying to connect may end up connected to itself.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = randomInt(12_000, 32_000);
    const server = createServer();
    const free = new Promise<boolean>((resolve) => {
      server.once("listening", () => resolve(true));
      server.once("error", () => resolve(false));
    });
    server.listen(port, "127.0.0.1");
    if (!(await free)) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error("no port from 12000 to 31999 is free on 127.0.0.1");
}
