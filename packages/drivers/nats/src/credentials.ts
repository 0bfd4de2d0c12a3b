import { readFileSync } from "node:fs";
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import type { DriverOptions } from "@quadrant/contract";
import { failed } from "./failure.ts";

/** Servers, credentials and TLS as the client wants them. Throws "unsupported", "invalid". Secrets appear in no message. */
export function connectionOptions(url: URL, options: DriverOptions): ConnectionOptions {
  const { hosts } = options;
  const servers = hosts === undefined || hosts.length === 0 ? [url.host] : [...hosts];
  return { servers, ...credentials(url, options), ...security(url, options) };
}

function credentials(url: URL, { auth }: DriverOptions): ConnectionOptions {
  if (auth === undefined) {
    const file = url.searchParams.get("creds");
    if (file !== null) return { authenticator: authenticatorOf(file, "creds") };
    const user = decodeURIComponent(url.username);
    if (user === "") return {};
    return url.password === "" ? { token: user } : { user, pass: decodeURIComponent(url.password) };
  }
  if ("user" in auth) return { user: auth.user, pass: auth.password };
  if ("token" in auth) return { token: auth.token };
  if ("nkeySeed" in auth) {
    const { nkeySeed } = auth;
    if (!/^SU[A-Z2-7]{56}$/.test(nkeySeed))
      throw failed("invalid", "auth.nkeySeed: this is no seed of a user; it begins with SU and has 58 characters");
    return { authenticator: nkeyAuthenticator(new TextEncoder().encode(nkeySeed)) };
  }
  if ("credsFile" in auth) return { authenticator: authenticatorOf(auth.credsFile, "auth.credsFile") };
  throw failed("unsupported", "auth.curve is for ZeroMQ; NATS takes user and password, token, nkeySeed or credsFile");
}

function authenticatorOf(credsFile: string, what: string): Authenticator {
  try {
    return credsAuthenticator(readFileSync(credsFile));
  } catch (cause) {
    const { code } = cause as { readonly code?: string };
    throw failed("invalid", `${what}: this file cannot be read${code === undefined ? "" : `: ${code}`}`);
  }
}

function security(url: URL, { tls }: DriverOptions): ConnectionOptions {
  if (url.protocol !== "tls:" && tls === undefined) return {};
  return {
    tls: {
      ...(tls?.ca === undefined ? undefined : { ca: tls.ca }),
      ...(tls?.cert === undefined ? undefined : { cert: tls.cert }),
      ...(tls?.key === undefined ? undefined : { key: tls.key }),
    },
  };
}
