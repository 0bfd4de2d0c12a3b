import type { Bus } from "@quadrant/bus";

/** What a part answers to, by the name of the question. */
// biome-ignore lint/suspicious/noExplicitAny: each question says what it is asked with
export type Answers = Readonly<Record<string, (argument: any) => unknown>>;

/** What a part of an experiment does over its own connection, in a process of its own or in that of the lab. */
export interface Role<I> {
  play(bus: Bus, input: I): Answers | Promise<Answers>;
}

/** The default export of a module that `Site.start` is given. Nothing has to be closed but the bus, which the site closes. */
export function defineRole<I>(play: Role<I>["play"]): Role<I> {
  return { play };
}

/** Milliseconds on a clock that all processes of a machine share. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
