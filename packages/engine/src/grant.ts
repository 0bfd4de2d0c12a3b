import type { TupleLease } from "@quadrant/contract";
import type { Setting } from "./setting.ts";

/** What an `out` is answered with: its name is made when somebody asks for it. */
export class Grant implements TupleLease {
  readonly expiresInMs: number;
  readonly #setting: Setting;
  readonly #seq: number;

  constructor(setting: Setting, seq: number, expiresInMs: number) {
    this.#setting = setting;
    this.#seq = seq;
    this.expiresInMs = expiresInMs;
  }

  get id(): string {
    return this.#setting.token(this.#seq);
  }
}
