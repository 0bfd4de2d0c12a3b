import { type HistoryOrder, startClients } from "./history-client.ts";

/** Clients as a process, to be killed: begins as it is ordered, says so, and ends its part when it is told to. */
process.once("disconnect", () => process.exit(0));
let clients: ReturnType<typeof startClients> = Promise.resolve([]);
process.on("message", async (message: HistoryOrder | "stop") => {
  if (message === "stop") {
    await Promise.all((await clients).map((client) => client.stop()));
    process.send?.("stopped");
    return;
  }
  clients = startClients(message);
  await clients;
  process.send?.("started");
});
