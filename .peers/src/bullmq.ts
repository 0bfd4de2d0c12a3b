/** BullMQ as its documentation uses it for many jobs: `addBulk`, and a worker with fifty of them under way. */
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import type { OpenInlet } from "../../packages/lab/src/bench/consumer.ts";
import { indexOf, type Payload } from "../../packages/lab/src/bench/payload.ts";
import type { Outlet } from "../../packages/lab/src/bench/producer.ts";
import { batching } from "../../packages/lab/src/bench/ways/batching.ts";

const queue = "bench";
const concurrency = 50;

/** BullMQ asks for a connection that never gives up a command. */
function patient(url: string): Redis {
  return new Redis(url, { maxRetriesPerRequest: null });
}

export async function adding(url: string): Promise<Outlet> {
  const connection = patient(url);
  const jobs = new Queue(queue, { connection });
  await jobs.waitUntilReady();
  const opts = { removeOnComplete: true };
  return {
    put: batching((payloads) => jobs.addBulk(payloads.map((data) => ({ name: "order", data, opts })))),
    close: async () => {
      await jobs.close();
      connection.disconnect();
    },
  };
}

/** A job counts once it is completed. Fifty at a time come in no order, so that only their number can be checked. */
export function working(url: string): OpenInlet {
  return async (consumer) => {
    const connection = patient(url);
    const work = async ({ data }: { readonly data: Payload }): Promise<number> => indexOf(data);
    const worker = new Worker<Payload>(queue, work, { connection, concurrency });
    // A worker that cannot go on must not look like a slow one.
    worker.on("error", (error) => {
      setImmediate(() => {
        throw error;
      });
    });
    worker.on("completed", () => consumer.settle());
    await worker.waitUntilReady();
    return {
      close: async () => {
        await worker.close();
        connection.disconnect();
      },
    };
  };
}
