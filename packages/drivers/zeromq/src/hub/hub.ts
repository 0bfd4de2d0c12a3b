import { BusError } from "@quadrant/contract";
import { BlobTable, Engine, FileMedium, MemoryMedium, SqliteJournal } from "@quadrant/engine";
import { endpointOf } from "../address.ts";
import { publicKeyOf } from "../curve-key.ts";
import { Admission, checkAuth, type HubAuth } from "./admission.ts";
import { type Holdings, RunningHub } from "./running-hub.ts";

export interface HubOptions {
  readonly url?: string | undefined;
  readonly data?: string | undefined;
  readonly auth?: HubAuth | undefined;
}

export interface Hub extends AsyncDisposable {
  /** What to connect to. */
  readonly url: string;
  /** Of CURVE, Z85: what clients give as `serverKey`. */
  readonly publicKey?: string | undefined;
}

/**
 * Starts a hub in this process. Port 0, the default, picks a free one; `url` on the result is what to connect to.
 * `data` names a folder, made where there is none: mailboxes, logs and spaces are kept there, acknowledged once they are on
 * stable storage, and served again by the next hub on it. Rejects with "invalid" for a URL that is none, "unavailable" when
 * the address is taken, the folder is held by another process, or its file is damaged, "denied" where it may not be written.
 * With `auth` every connection is encrypted, and taken only from clients that know the hub's public key.
 */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const { auth } = options;
  if (auth !== undefined) checkAuth(auth);
  const publicKey = auth === undefined ? undefined : publicKeyOf("auth.secretKey", auth.secretKey);
  let url: URL;
  try {
    url = new URL(options.url ?? "zmq://127.0.0.1:0");
  } catch (cause) {
    throw new BusError("invalid", "the hub's URL is none: use zmq://HOST:PORT or zmq+ipc:///path", {
      cause,
      driver: "zeromq",
    });
  }
  if (url.protocol !== "zmq:" && url.protocol !== "zmq+ipc:") {
    throw new BusError("invalid", `a hub listens on zmq: or zmq+ipc:, not ${url.protocol}`, { driver: "zeromq" });
  }
  const admission = (attached: () => number): Admission => new Admission(auth, attached);
  // What is wrong with keys and permissions is told before the folder is opened.
  admission(() => 0);
  const hub = new RunningHub(await openHoldings(options.data), admission, auth?.secretKey);
  try {
    await hub.listen(endpointOf(url));
  } catch (error) {
    await hub.close();
    throw error;
  }
  return { url: hub.url, publicKey, [Symbol.asyncDispose]: () => hub.close() };
}

/** How long a hub waits for the one before it to let go of the folder. */
const takeOverMs = 5_000;

async function openHoldings(folder: string | undefined): Promise<Holdings> {
  if (folder === undefined) {
    const blobs = BlobTable.empty(new MemoryMedium("zeromq"), "zeromq");
    return { engine: new Engine({ driver: "zeromq", isOutlived: true }), blobs, durable: false };
  }
  const journal = await SqliteJournal.open({ folder, sync: "full", timeoutMs: takeOverMs, driver: "zeromq" });
  try {
    const blobs = await BlobTable.recover(new FileMedium(folder, "full", "zeromq"), "zeromq");
    return { engine: await Engine.recover(journal, { driver: "zeromq" }), blobs, durable: true };
  } catch (error) {
    await journal.close();
    throw error;
  }
}
