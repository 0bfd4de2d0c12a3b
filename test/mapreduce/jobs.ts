import type { JobReference } from "@quadrant/mapreduce";

/** A job of the folder jobs/, as it is submitted. */
export function ownJob(name: string, options?: JobReference["options"]): JobReference {
  return { module: new URL(`./jobs/${name}.ts`, import.meta.url).href, options };
}
