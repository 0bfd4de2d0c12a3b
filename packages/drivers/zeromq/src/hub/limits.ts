/** The hub's bounds: nothing that a peer does makes it hold more. All sizes in bytes, durations in milliseconds. */

/** A body; what clients are told in the welcome. */
export const maxPayloadBytes: number = 8 * 1024 * 1024;
/** A ZeroMQ message from a client; a larger one ends its connection. */
export const maxPacketBytes: number = 24 * 1024 * 1024;
/** Sessions, attached or within their grace. */
export const maxSessions = 10_000;
/** Connections, with or without a session; beyond it new ones are turned away before they have said anything. */
export const maxConnections = 11_000;
/** Connections without a session: their peer has not said hello. Beyond it new ones are turned away. */
export const maxHalfOpen = 1_000;
/** Within which a peer has to have shaken hands. */
export const handshakeMs = 5_000;
/** Frames of one ZeroMQ message from a client: one packet. */
export const maxParts = 1;
/** Requests of one client that have not been answered. */
export const maxRequests = 65_536;
/** What requests hold that wait, of one client. */
export const requestBytes: number = 32 * 1024 * 1024;
/** Subscriptions of one client. */
export const maxSubscriptions = 10_000;
/** Servers of one client: addresses that it serves. */
export const maxServers = 1_000;
/** Blobs that one client puts at once. */
export const maxUploads = 256;
/** Chunks of blobs that are being written or read for one client. */
export const blobBytes: number = 32 * 1024 * 1024;
/** Messages of topics that wait for one client, sent but unacknowledged ones included; beyond it they are dropped and counted. */
export const topicBytes: number = 16 * 1024 * 1024;
/** Everything that waits for one client; beyond it, its session is ended. */
export const sessionBytes: number = 96 * 1024 * 1024;
/** Everything that waits for all clients together; beyond it the session with most of it is ended. */
export const allSessionsBytes: number = 512 * 1024 * 1024;
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
/** Between two rounds in which every client is sent to, so much for each of them. */
export const probeMs = 0.05;

/** What `quadrant info` shows of them. */
export const bounds: Readonly<Record<string, number>> = Object.freeze({
  sessions: maxSessions,
  connections: maxConnections,
  halfOpen: maxHalfOpen,
  packetBytes: maxPacketBytes,
  packetFrames: maxParts,
  payloadBytes: maxPayloadBytes,
  requestsPerClient: maxRequests,
  requestBytesPerClient: requestBytes,
  subscriptionsPerClient: maxSubscriptions,
  serversPerClient: maxServers,
  uploadsPerClient: maxUploads,
  blobBytesPerClient: blobBytes,
  topicBytesPerClient: topicBytes,
  bytesPerClient: sessionBytes,
  bytesOfAllClients: allSessionsBytes,
});
