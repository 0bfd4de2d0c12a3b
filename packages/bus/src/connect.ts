import { abortedError, Bodies, type Bus, bytes, type ConnectOptions, type Driver, json } from "@quadrant/contract";
import { ConnectedBus } from "./connected-bus.ts";
import { Connection } from "./connection.ts";
import { loadDriver } from "./drivers.ts";
import { msgpack } from "./msgpack.ts";
import { settingsOf } from "./options.ts";
import { redacted, secretsOfAuth } from "./redact.ts";
import { maskUrl, parseUrl, schemeOf, secretsOf, splitHosts } from "./url.ts";

/**
 * Opens a bus. The scheme chooses the driver; nothing else in a program changes:
 *   memory:            private to this call           memory:NAME   shared inside this process, until its last connection closes
 *   zmq://HOST:PORT    a Quadrant hub over ZeroMQ TCP  zmq+ipc:///path  the same over a Unix socket
 *   nats://HOST:PORT   NATS with JetStream, tls:// for TLS; several servers separated by commas
 *   redis://HOST:PORT  Redis or Valkey; rediss:// for TLS; redis+sentinel://HOST:PORT,…/MASTER; redis+cluster://HOST:PORT,…
 * Keeps trying until timeoutMs (milliseconds, default 5 000), then rejects with "unavailable"; "denied" at once on
 * refused credentials; "unsupported" for a scheme without a driver, or when the server lacks what the driver needs;
 * "invalid" for what is no URL or option; "aborted" when `signal`, which concerns the connecting alone, is.
 */
export async function connect(url: string | URL, options?: ConnectOptions): Promise<Bus> {
  const settings = settingsOf(options);
  const scheme = schemeOf(url);
  const signal = settings.driver.signal;
  if (signal?.aborted) throw abortedError(signal, "connect");
  const open = await loadDriver(scheme);
  const { url: first, hosts } = splitHosts(url);
  const target = parseUrl(first);
  const secrets = [...secretsOf(target), ...secretsOfAuth(settings.driver.auth)];
  let driver: Driver;
  try {
    driver = await open(target, { ...settings.driver, hosts });
  } catch (error) {
    throw redacted(error, secrets);
  }
  if (signal?.aborted) {
    await driver.close(0);
    throw abortedError(signal, "connect");
  }
  const bodies = new Bodies(settings.codec, [json, bytes, msgpack], driver.maxPayloadBytes);
  return new ConnectedBus(new Connection(driver, bodies, settings.driver.requestTimeoutMs), maskUrl(driver.url));
}
