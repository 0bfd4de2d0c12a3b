import type { StreamConfig } from "../jetstream.ts";

/** Three streams for all mailboxes; how they are used, the README says. */
export const mailStream = "QUADRANT_MAIL";
export const restStream = "QUADRANT_REST";
export const stateStream = "QUADRANT_STATE";

const twoMinutes = 120_000_000_000;

export const mailSubject = (box: string): string => `_quadrant.mail.${box}`;
export const restSubject = (box: string): string => `_quadrant.rest.${box}`;
export const boxSubject = (box: string): string => `_quadrant.box.${box}`;
export const keySubject = (box: string, key: string): string => `_quadrant.key.${box}.${key}`;
export const releasedSubject = (consumer: string, seq: number | "*"): string => `_quadrant.released.${consumer}.${seq}`;

export function mailConfig(replicas: number): StreamConfig {
  return {
    name: mailStream,
    description: "Quadrant: letters on their way, until they are settled",
    subjects: ["_quadrant.mail.>"],
    retention: "workqueue",
    discard: "new",
    storage: "file",
    num_replicas: replicas,
    duplicate_window: twoMinutes,
  };
}

export function restConfig(replicas: number): StreamConfig {
  return {
    name: restStream,
    description: "Quadrant: letters that are delayed, dead, or in the line of their key",
    subjects: ["_quadrant.rest.>"],
    retention: "limits",
    discard: "new",
    storage: "file",
    num_replicas: replicas,
    duplicate_window: twoMinutes,
  };
}

export function stateConfig(replicas: number): StreamConfig {
  return {
    name: stateStream,
    description: "Quadrant: options of mailboxes and logs, attempts that do not count",
    subjects: ["_quadrant.box.>", "_quadrant.key.>", "_quadrant.released.>", "_quadrant.log-options.>"],
    retention: "limits",
    discard: "old",
    storage: "file",
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    duplicate_window: twoMinutes,
  };
}
