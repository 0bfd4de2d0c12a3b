/** The Docker engine of this machine, through testcontainers, which is loaded when it is first asked for. */
import { stat } from "node:fs/promises";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import type { ContainerRuntimeClient } from "testcontainers";

const pingMs = 5_000;

/** Where engines listen, in the order in which testcontainers looks. */
function sockets(): readonly string[] {
  const { DOCKER_HOST: host, XDG_RUNTIME_DIR: runtime } = process.env;
  if (host?.startsWith("unix://")) return [host.slice("unix://".length)];
  const home = homedir();
  return [
    "/var/run/docker.sock",
    ...(runtime === undefined ? [] : [join(runtime, "docker.sock")]),
    join(home, ".docker/run/docker.sock"),
    join(home, ".docker/desktop/docker.sock"),
  ];
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/_ping", timeout: pingMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", () => resolve(false));
    asked.once("close", () => resolve(false));
    asked.end();
  });
}

/** Whether a Docker engine answers: asked without loading anything. An engine that is not on this machine is not used. */
export async function engineAnswers(): Promise<boolean> {
  const host = process.env.DOCKER_HOST;
  if (host !== undefined && host !== "" && !host.startsWith("unix://")) return false;
  for (const path of sockets()) {
    const isThere = await stat(path).then(
      (found) => found.isSocket(),
      () => false,
    );
    if (isThere && (await answers(path))) return true;
  }
  return false;
}

/** That a container cannot be started here, whatever is in it. */
export class NoImage extends Error {
  constructor(image: string, cause: unknown) {
    super(
      `the image ${image} is not here and cannot be had: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

export type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

export interface Engine {
  readonly client: ContainerRuntimeClient;
  /** Of what is started in it: whatever this process leaves is found by them. */
  readonly labels: Readonly<Record<string, string>>;
}

let engine: Promise<Engine> | undefined;

async function connectEngine(): Promise<Engine> {
  const { getContainerRuntimeClient, getReaper, LABEL_TESTCONTAINERS_SESSION_ID } = await import("testcontainers");
  const client = await getContainerRuntimeClient();
  // Its reaper is a container that removes what is left; where its image cannot be had, the guardian alone does.
  const reaper = await getReaper(client).catch(() => undefined);
  return {
    client,
    labels: {
      "quadrant.testkit": "true",
      ...(reaper && { "org.testcontainers": "true", [LABEL_TESTCONTAINERS_SESSION_ID]: reaper.sessionId }),
    },
  };
}

/** The engine, with the image in it. Rejects with NoImage. */
export async function engineWith(image: string): Promise<Engine> {
  engine ??= connectEngine();
  const { client } = await engine;
  const { ImageName } = await import("testcontainers");
  try {
    await client.image.pull(ImageName.fromString(image));
  } catch (cause) {
    throw new NoImage(image, cause);
  }
  return engine;
}
