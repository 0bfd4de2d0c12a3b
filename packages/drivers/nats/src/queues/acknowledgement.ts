import type { NatsConnection } from "../connection.ts";

const order = Buffer.from("+ACK");

/** Whether `acknowledgeAll` can be relied on: where the leader of a consumer may change, one may be lost before the next. */
export function canAcknowledgeAll(connection: NatsConnection): boolean {
  return connection.connected && connection.info?.cluster === undefined;
}

/**
 * Acknowledges deliveries of one consumer. Only the last asks for an answer, which stands for all: a server takes what one
 * connection tells a consumer in order. Rejects where no answer came; "indefinite": nobody knows how many were taken.
 */
export function acknowledgeAll(connection: NatsConnection, what: string, acks: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const last = acks.length - 1;
    for (let at = 0; at < last; at++) connection.publish(acks[at]!, order);
    connection.ask({
      what,
      subject: acks[last]!,
      body: order,
      headers: undefined,
      timeoutMs: connection.requestTimeoutMs,
      repeatable: false,
      writes: true,
      sentBefore: false,
      answer: () => resolve(),
      fail: reject,
    });
  });
}
