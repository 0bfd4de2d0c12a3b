/** What a role is asked by the process that forked it, and how it answers. */
export interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
export type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string; readonly code?: string | undefined };

type Part<A> = (argument: A) => unknown;

/**
 * Plays a role: answers each question with the part of its name, until the process is told to stop or its parent is gone.
 * `P` maps the name of a question to what it is asked with.
 */
export function play<P extends object>(parts: { readonly [N in keyof P]: Part<P[N]> }): void {
  process.once("disconnect", () => process.exit(0));
  process.on("message", (question: Question) => {
    const { id, name, argument } = question;
    const part = (parts as Readonly<Record<string, Part<unknown>>>)[name];
    if (part === undefined) throw new Error(`this role has no part ${name}`);
    void Promise.resolve()
      .then(() => part(argument))
      .then(
        (value) => process.send?.({ id, value }),
        (error: { message?: string; code?: string }) =>
          process.send?.({ id, error: error.message ?? String(error), code: error.code }),
      );
  });
  process.send?.({ id: 0, value: "ready" });
}
