import { createInterface } from "node:readline";
import { Child } from "./child.ts";
import { failed } from "./failure.ts";
import { defaultUrl } from "./session.ts";

/** With a loaded machine and a cold disk in mind. */
const startMs = 20_000;

export interface HubProcess extends AsyncDisposable {
  /** What to connect to. */
  readonly url: string;
  /** Resolves, once it has ended, with how: of interest to those who did not ask it to. */
  readonly died: Promise<Error>;
}

/** A hub as a process of its own, at the URL given; else at the usual one, or, where that is taken, at a free port. */
export async function startHubProcess(givenUrl: string | undefined): Promise<HubProcess> {
  if (givenUrl !== undefined) return startAt(givenUrl);
  try {
    return await startAt(defaultUrl);
  } catch {
    return startAt("zmq://127.0.0.1:0");
  }
}

async function startAt(url: string): Promise<HubProcess> {
  let said: string | undefined = "";
  const told = (text: string): void => {
    if (said === undefined) process.stderr.write(text);
    else said += text;
  };
  const child = new Child(["hub", "--json", "--quiet"], { QUADRANT_URL: url }, told, "pipe");
  const timer = setTimeout(() => void child.stop(), startMs);
  try {
    const line = await firstLine(child);
    if (line === undefined) {
      throw failed(`the hub did not start: ${said.trim().replace(/^quadrant: /, "") || "it said nothing"}`);
    }
    said = undefined;
    const { url: reachable } = JSON.parse(line) as { readonly url: string };
    const died = child.exited.then(({ code, signal }) => failed(`the hub died of ${signal ?? `exit code ${code}`}`));
    return { url: reachable, died, [Symbol.asyncDispose]: () => child.stop() };
  } finally {
    clearTimeout(timer);
  }
}

/** undefined where it ended without one. */
function firstLine(child: Child): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: child.stdout });
    lines.once("line", resolve);
    lines.once("close", () => resolve(undefined));
  });
}
