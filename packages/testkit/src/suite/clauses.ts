import { badInputClauses } from "./bad-input.ts";
import { badOptionClauses } from "./bad-options.ts";
import { badValueClauses } from "./bad-values.ts";
import { blobClauses } from "./blobs.ts";
import { blobEndClauses } from "./blobs-ends.ts";
import { blobFaultClauses } from "./blobs-faults.ts";
import { busClauses } from "./bus.ts";
import { busCloseClauses } from "./bus-close.ts";
import { callClauses } from "./calls.ts";
import { callEndClauses } from "./calls-ends.ts";
import { callStreamClauses } from "./calls-streams.ts";
import type { Clause } from "./clause.ts";
import { faultClauses } from "./faults.ts";
import { keepingClauses } from "./keeping.ts";
import { logClauses } from "./log.ts";
import { logDurableClauses } from "./log-durables.ts";
import { logRetentionClauses } from "./log-retention.ts";
import { mailboxClauses } from "./mailbox.ts";
import { mailboxFailureClauses } from "./mailbox-failures.ts";
import { mailboxKeyClauses } from "./mailbox-keys.ts";
import { mailboxLeaseClauses } from "./mailbox-leases.ts";
import { mailboxProcessClauses } from "./mailbox-process.ts";
import { mailboxTimeClauses } from "./mailbox-time.ts";
import { pubsubClauses } from "./pubsub.ts";
import { pubsubGroupClauses } from "./pubsub-groups.ts";
import { pubsubInvalidClauses } from "./pubsub-invalid.ts";
import { pubsubOverflowClauses } from "./pubsub-overflow.ts";
import { recoveryClauses } from "./recovery.ts";
import { spaceClauses } from "./space.ts";
import { spaceCapacityClauses } from "./space-capacity.ts";
import { spaceHistoryClauses } from "./space-history.ts";
import { spaceLeaseClauses } from "./space-leases.ts";
import { spaceMatchingClauses } from "./space-matching.ts";
import { spaceSetClauses } from "./space-sets.ts";
import { spaceWaiterClauses } from "./space-waiters.ts";
import { spaceWatchClauses } from "./space-watch.ts";
import { spaceWatchKeptClauses } from "./space-watch-kept.ts";

/** Every promise that a driver keeps, in the order in which they run. */
export const clauses: readonly Clause[] = [
  ...pubsubClauses,
  ...pubsubGroupClauses,
  ...pubsubOverflowClauses,
  ...pubsubInvalidClauses,
  ...logClauses,
  ...logRetentionClauses,
  ...logDurableClauses,
  ...mailboxClauses,
  ...mailboxLeaseClauses,
  ...mailboxFailureClauses,
  ...mailboxTimeClauses,
  ...mailboxKeyClauses,
  ...mailboxProcessClauses,
  ...spaceMatchingClauses,
  ...spaceClauses,
  ...spaceWaiterClauses,
  ...spaceLeaseClauses,
  ...spaceCapacityClauses,
  ...spaceSetClauses,
  ...spaceWatchClauses,
  ...spaceWatchKeptClauses,
  ...spaceHistoryClauses,
  ...callClauses,
  ...callEndClauses,
  ...callStreamClauses,
  ...blobClauses,
  ...blobEndClauses,
  ...busClauses,
  ...busCloseClauses,
  ...badInputClauses,
  ...badValueClauses,
  ...badOptionClauses,
  ...faultClauses,
  ...recoveryClauses,
  ...keepingClauses,
  ...blobFaultClauses,
];
