import { BusError, type Context, type ServiceInfo } from "@quadrant/contract";

/** Who serves what now. Throws "closed" and "unsupported". */
export async function services(context: Context): Promise<readonly ServiceInfo[]> {
  context.assertOpen();
  const calls = context.driver.calls;
  if (calls === undefined) {
    throw new BusError("unsupported", `the driver ${context.driver.name} has no calls`, {
      driver: context.driver.name,
    });
  }
  return (await calls.services()).map(({ address, instance, methods, version, handled, failed, meanMs }) => ({
    address,
    instance,
    methods: [...methods],
    ...(version === undefined ? {} : { version }),
    handled,
    failed,
    meanMs,
  }));
}
