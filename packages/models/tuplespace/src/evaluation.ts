import { BusError, type Context, type Drainable, decodeTuple, encodeTuple, type Tuple } from "@quadrant/contract";

const maxMessage = 8_192;

/** What is put out in place of a result that was thrown, or that is no tuple. */
function errorTuple(thrown: unknown): string {
  const part = (value: unknown, otherwise: string): string =>
    typeof value === "string" && value !== "" ? value.slice(0, maxMessage).toWellFormed() : otherwise;
  const { name, message } = thrown instanceof Error ? thrown : { name: "Error", message: String(thrown) };
  return encodeTuple(["eval-error", part(name, "Error"), part(message, "")]);
}

/** An active tuple: runs here, and becomes a tuple when it ends. */
export class Evaluation implements Drainable {
  readonly done: Promise<Tuple>;
  readonly #controller = new AbortController();
  readonly #context: Context;
  readonly #out: (text: string) => Promise<void>;
  #giveUp: (error: BusError) => void = () => undefined;
  #untrack: (() => void) | undefined;

  constructor(
    context: Context,
    work: (signal: AbortSignal) => Tuple | Promise<Tuple>,
    check: (text: string) => void,
    out: (text: string) => Promise<void>,
  ) {
    this.#context = context;
    this.#out = out;
    const givenUp = new Promise<never>((_, reject) => {
      this.#giveUp = reject;
    });
    this.done = Promise.race([this.#run(work, check), givenUp]);
    // Nobody has to look: the tuple is where the result goes.
    this.done.catch(() => undefined).finally(() => this.#untrack?.());
    this.#untrack = context.track(this);
  }

  async #run(work: (signal: AbortSignal) => Tuple | Promise<Tuple>, check: (text: string) => void): Promise<Tuple> {
    let text: string;
    try {
      text = encodeTuple(await work(this.#controller.signal));
      check(text);
    } catch (error) {
      text = errorTuple(error);
    }
    await this.#out(text);
    return decodeTuple(text);
  }

  async drain(): Promise<void> {
    await this.done.catch(() => undefined);
  }

  abandon(): void {
    const error = new BusError("closed", "the bus closed before the active tuple was put out", {
      driver: this.#context.driver.name,
    });
    this.#controller.abort(error);
    this.#giveUp(error);
  }
}
