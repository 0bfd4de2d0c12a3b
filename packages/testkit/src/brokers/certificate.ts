/**
 * Certificates for tests: an authority of their own, a server of this machine and a client, as X.509 version 3 with keys on
 * P-256. Node reads certificates and writes none, so they are put together here, in DER (X.690, RFC 5280).
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = body.length < 256 ? [0x81, body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const bits = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes);
const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
const yes = Buffer.from([0x01, 0x01, 0xff]);

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 127];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

const ecdsaWithSha256 = sequence(oid("1.2.840.10045.4.3.2"));

function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, Buffer.from(commonName)))));
}

/** GeneralizedTime, to the second. */
function moment(ms: number): Buffer {
  return der(0x18, Buffer.from(`${new Date(ms).toISOString().replace(/[-:T]|\..*/g, "")}Z`));
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), ...(critical ? [yes] : []), octets(value));
}

const keyUsage = "2.5.29.15";
const authorityExtensions = [
  extension("2.5.29.19", true, sequence(yes)),
  // keyCertSign and cRLSign.
  extension(keyUsage, true, Buffer.from([0x03, 0x02, 0x01, 0x06])),
];
const endExtensions = [
  extension("2.5.29.19", true, sequence()),
  // digitalSignature.
  extension(keyUsage, true, Buffer.from([0x03, 0x02, 0x07, 0x80])),
  // serverAuth and clientAuth.
  extension("2.5.29.37", false, sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
  // localhost, 127.0.0.1, ::1.
  extension(
    "2.5.29.17",
    false,
    sequence(
      der(0x82, Buffer.from("localhost")),
      der(0x87, Buffer.from([127, 0, 0, 1])),
      der(0x87, Buffer.from([...new Uint8Array(15), 1])),
    ),
  ),
];

interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function keyId(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
}

function issue(commonName: string, publicKey: KeyObject, issuer: Issuer, extensions: readonly Buffer[]): string {
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  const hour = 3_600_000;
  const body = sequence(
    der(0xa0, Buffer.from([0x02, 0x01, 0x02])),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(issuer.commonName),
    sequence(moment(Date.now() - 24 * hour), moment(Date.now() + 30 * 24 * hour)),
    nameOf(commonName),
    publicKey.export({ type: "spki", format: "der" }),
    der(
      0xa3,
      sequence(
        ...extensions,
        extension("2.5.29.14", false, octets(keyId(publicKey))),
        extension("2.5.29.35", false, sequence(der(0x80, keyId(issuer.publicKey)))),
      ),
    ),
  );
  const whole = sequence(body, ecdsaWithSha256, bits(sign("sha256", body, issuer.privateKey)));
  const lines = whole.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

export interface Certified {
  /** PEM. */
  readonly cert: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Certificates {
  /** PEM of the authority that signed both. */
  readonly ca: string;
  /** For localhost, 127.0.0.1 and ::1. */
  readonly server: Certified;
  readonly client: Certified;
}

/** A fresh authority, whose key is forgotten, with a server's and a client's certificate, valid for 30 days. */
export function makeCertificates(): Certificates {
  const authority = { commonName: "Quadrant test authority", ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
  const certified = (commonName: string): Certified => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return {
      cert: issue(commonName, publicKey, authority, endExtensions),
      key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    };
  };
  return {
    ca: issue(authority.commonName, authority.publicKey, authority, authorityExtensions),
    server: certified("localhost"),
    client: certified("client"),
  };
}

/** The files that a server with TLS is told of. */
export function pemsOf(certificates: Certificates | undefined): Record<string, string> {
  if (certificates === undefined) return {};
  const { ca, server } = certificates;
  return { "ca.pem": ca, "server.pem": server.cert, "server.key": server.key };
}

/** What a client is told of TLS; with its own certificate where it is asked for one. */
export function clientTls(
  certificates: Certificates,
  mutual: boolean,
): { ca: string; cert?: string | undefined; key?: string | undefined } {
  const { ca, client } = certificates;
  return mutual ? { ca, ...client } : { ca };
}
