/** The parts of template.ts: what each answers to, by the name of the question. */
import { defineRole, nowMs, type Role } from "@quadrant/lab";

interface Echo {
  echo(text: string): string;
}

const role: Role<{ readonly address: string }> = defineRole((bus, { address }) => ({
  serve: async () => void (await bus.serve<Echo>(address, { echo: (text) => text })),
  call: async ({ bytes, times }: { bytes: number; times: number }): Promise<number> => {
    const echo = bus.client<Echo>(address);
    const text = "x".repeat(bytes);
    const began = nowMs();
    for (let time = 0; time < times; time++) await echo.echo(text);
    return (nowMs() - began) / times;
  },
}));
export default role;
