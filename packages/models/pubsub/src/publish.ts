import {
  assertSupported,
  type Bodies,
  BusError,
  type Context,
  checkHeaders,
  checkName,
  type Envelope,
  type Headers,
  type PublishOptions,
  TextEnvelope,
  type Topics,
  withTrace,
} from "@quadrant/contract";

const taken: Promise<void> = Promise.resolve();

/** The driver's topics; throws "unsupported" where it has none. */
export function topicsOf(context: Context): Topics {
  const { driver } = context;
  assertSupported(driver, "topics");
  if (driver.topics === undefined)
    throw new BusError("unsupported", `the driver ${driver.name} has no topics`, { driver: driver.name });
  return driver.topics;
}

function envelopeOf(bodies: Bodies, subject: string, headers: Headers, data: unknown): Envelope {
  const { contentType } = bodies.codec;
  const text = bodies.encodeText(data);
  if (text !== undefined) return new TextEnvelope(subject, headers, contentType, text);
  return { subject, headers, contentType, body: bodies.encode(data) };
}

/** Resolves when the broker, or the bounded outbox to it, has taken the message. */
export function publish(
  context: Context,
  subject: string,
  data: unknown,
  options?: PublishOptions | undefined,
): Promise<void> {
  try {
    context.assertOpen();
    checkName("subject", subject);
    const headers = withTrace(checkHeaders(options?.headers));
    return topicsOf(context).publish(envelopeOf(context.bodies, subject, headers, data)) ?? taken;
  } catch (error) {
    return Promise.reject(error);
  }
}
