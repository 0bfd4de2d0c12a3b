import { type ConnectionOptions, connect, type NatsConnection as RawConnection } from "@nats-io/transport-node";
import { BusError, type DriverOptions } from "@quadrant/contract";
import { NatsConnection } from "./connection.ts";
import { failed } from "./failure.ts";

/** Between two tries. */
const retryMs = 50;

/** Tries until `timeoutMs`; refused credentials are "denied" at once. */
export async function openConnection(base: ConnectionOptions, options: DriverOptions): Promise<NatsConnection> {
  const deadline = performance.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    if (options.signal?.aborted) throw failed("aborted", "connecting was aborted by its signal", options.signal.reason);
    const left = deadline - performance.now();
    if (left <= 0) break;
    const opening = connect({
      ...base,
      name: options.name,
      timeout: Math.max(1, Math.ceil(left)),
      reconnect: true,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectDelayHandler: () => 50 + Math.floor(Math.random() * 100),
      ignoreAuthErrorAbort: true,
      pingInterval: 5_000,
      maxPingOut: 2,
      noAsyncTraces: true,
    } as ConnectionOptions);
    try {
      return new NatsConnection(await withinTime(opening, left, options.signal), options.requestTimeoutMs);
    } catch (error) {
      if (error instanceof BusError) throw error;
      last = error;
      const text = error instanceof Error ? `${error.name} ${error.message}` : String(error);
      if (/authoriz|authentic|nkey|creds|permission/i.test(text))
        throw failed("denied", "the server refuses these credentials; check auth, or the user in the URL", error);
      if (/does not support 'tls'/.test(text))
        throw failed("unavailable", "the server speaks no TLS: use nats:// in place of tls://", error);
      if (/\btls\b|certificate|self.signed/i.test(text) && !/ECONN|refused|timeout/i.test(text))
        throw failed("denied", `no TLS connection with the server: ${text}; give its authority as tls.ca`, error);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(retryMs, Math.max(1, deadline - performance.now()))));
  }
  throw failed("unavailable", `no server answers within ${options.timeoutMs} ms`, last);
}

function withinTime(
  opening: Promise<RawConnection>,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<RawConnection> {
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (): void => {
      over = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
    const aborted = (): void => {
      end();
      reject(failed("aborted", "connecting was aborted by its signal", signal?.reason));
    };
    const timer = setTimeout(() => {
      end();
      reject(new Error("timeout"));
    }, ms);
    signal?.addEventListener("abort", aborted, { once: true });
    opening.then(
      (raw) => {
        if (over) void raw.close().catch(() => undefined);
        else {
          end();
          resolve(raw);
        }
      },
      (error: unknown) => {
        if (over) return;
        end();
        reject(error);
      },
    );
  });
}
