import {
  assertSupported,
  BusError,
  type Context,
  checkHeaders,
  checkName,
  type PublishOptions,
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
    const { bodies } = context;
    const body = bodies.encode(data);
    return topicsOf(context).publish({ subject, headers, contentType: bodies.codec.contentType, body }) ?? taken;
  } catch (error) {
    return Promise.reject(error);
  }
}
