/** The hub's bounds: nothing that a peer does makes it hold more. All sizes in bytes, durations in milliseconds. */

/** A body; what clients are told in the welcome. */
export const maxPayloadBytes: number = 8 * 1024 * 1024;
/** A ZeroMQ message from a client; a larger one ends its connection. */
export const maxPacketBytes: number = 24 * 1024 * 1024;
/** Sessions, attached or within their grace. */
export const maxSessions = 10_000;
/** Requests of one client that have not been answered. */
export const maxRequests = 65_536;
/** Messages of topics that wait for one client, sent but unacknowledged ones included; beyond it they are dropped and counted. */
export const topicBytes: number = 16 * 1024 * 1024;
/** Everything that waits for one client; beyond it, its session is ended. */
export const sessionBytes: number = 96 * 1024 * 1024;
/** Letters, entries or tuples in one response; a larger result is cut where the operation allows. */
export const responseBytes: number = 8 * 1024 * 1024;
/** One response whatever it holds: beyond it the operation is "too-large". */
export const maxResponseBytes: number = 64 * 1024 * 1024;

/** How often either side speaks at least. */
export const heartbeatMs = 1_000;
/** A peer silent for so long is taken for gone. */
export const silenceMs = 4_000;
/** How long the session of a client that is gone can be resumed. */
export const graceMs = 30_000;
