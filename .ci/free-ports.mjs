// Prints as many ports as asked for that nobody listens at on 127.0.0.1.
import { createServer } from "node:net";

const servers = await Promise.all(
  Array.from({ length: Number(process.argv[2] ?? 1) }, async () => {
    const server = createServer();
    await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    return server;
  }),
);
console.log(servers.map((server) => server.address().port).join(" "));
for (const server of servers) server.close();
