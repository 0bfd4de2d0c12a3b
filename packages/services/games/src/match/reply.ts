import type { RefusalCode } from "./ruling.ts";
import type { MatchView } from "./table.ts";

/** What a command is answered with. A refusal is a value: `code` names the rule, and nothing has changed. */
export type Reply =
  | { readonly id: string; readonly ok: true; readonly version: number; readonly view: MatchView }
  | {
      readonly id: string;
      readonly ok: false;
      readonly code: RefusalCode;
      readonly message: string;
      /** Of the match; 0 where there is none. */
      readonly version: number;
      readonly view?: MatchView | undefined;
    };

/** undefined where it is none. */
export function readReply(data: unknown): Reply | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const { id, ok, version } = data as Partial<Reply>;
  return typeof id === "string" && typeof ok === "boolean" && typeof version === "number" ? (data as Reply) : undefined;
}
