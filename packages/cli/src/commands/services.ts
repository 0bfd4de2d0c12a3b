import type { Command } from "commander";
import type { OpenSession } from "../session.ts";

export function configure(command: Command, open: OpenSession): void {
  command.action(async () => {
    const session = open(command);
    const { output } = session;
    await session.withBus(async (bus) => {
      const services = await bus.services();
      if (output.json) {
        for (const service of services) await output.datum(service, () => "");
        return;
      }
      if (services.length === 0) return output.talk("nobody serves anything");
      await output.table(
        ["address", "instance", "version", "handled", "failed", "mean ms", "methods"],
        services.map(({ address, instance, version, handled, failed, meanMs, methods }) => [
          address,
          instance,
          version ?? "-",
          handled,
          failed,
          meanMs.toFixed(2),
          methods.join(", "),
        ]),
      );
    });
  });
}
