/** Credentials of NATS's decentralised kind: an operator signs accounts, an account its users; the server knows the operator alone. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeAccount, encodeOperator, encodeUser, fmtCreds } from "@nats-io/jwt";
import { createAccount, createOperator, createUser } from "@nats-io/nkeys";

export interface OperatorCredentials {
  /** What stands in the server's configuration: the operator, and a resolver in memory that knows both accounts. */
  readonly configuration: string;
  /** Of a user who may do everything in an account with JetStream. */
  readonly credsFile: string;
  /** Removes the file. */
  remove(): Promise<void>;
}

const unlimited = -1;
/** What is left out counts as none at all. */
const limits = {
  ...{ subs: unlimited, data: unlimited, payload: unlimited, conn: unlimited, leaf: unlimited },
  ...{ imports: unlimited, exports: unlimited, wildcards: true },
  ...{ mem_storage: unlimited, disk_storage: unlimited, streams: unlimited, consumer: unlimited },
};

export async function makeOperatorCredentials(): Promise<OperatorCredentials> {
  const [operator, system, account, user] = [createOperator(), createAccount(), createAccount(), createUser()];
  const operatorJwt = await encodeOperator("quadrant", operator, { system_account: system.getPublicKey() });
  const systemJwt = await encodeAccount("SYS", system, {}, { signer: operator });
  const accountJwt = await encodeAccount("QUADRANT", account, { limits }, { signer: operator });
  const creds = fmtCreds(await encodeUser("quadrant", user, account, {}), user);
  const folder = await mkdtemp(join(tmpdir(), "quadrant-creds-"));
  const credsFile = join(folder, "quadrant.creds");
  await writeFile(credsFile, creds, { mode: 0o600 });
  return {
    configuration: [
      `operator: ${operatorJwt}`,
      `system_account: ${system.getPublicKey()}`,
      "resolver: MEMORY",
      `resolver_preload { ${system.getPublicKey()}: ${systemJwt}, ${account.getPublicKey()}: ${accountJwt} }`,
    ].join("\n"),
    credsFile,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
