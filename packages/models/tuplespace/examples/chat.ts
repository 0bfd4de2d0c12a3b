/** A room in which what was said stays: each line is a tuple with its number, and who comes later reads from the first. */
import { type Bus, connect, type TupleSpace } from "@quadrant/bus";

export class Room {
  readonly #space: TupleSpace;

  private constructor(space: TupleSpace) {
    this.#space = space;
  }

  /** The first to come opens it. */
  static async enter(bus: Bus, name: string): Promise<Room> {
    return new Room(await bus.space(name));
  }

  static async open(bus: Bus, name: string): Promise<Room> {
    const room = await Room.enter(bus, name);
    await room.#space.out(["next", 0]);
    return room;
  }

  /** The number is taken by one speaker at a time: lines have an order that all agree on. */
  async say(who: string, text: string): Promise<void> {
    const [, line] = await this.#space.in(["next", Number]);
    await this.#space.outMany([
      ["line", line, who, text],
      ["next", line + 1],
    ]);
  }

  /** Every line from the first on, those to come included. */
  async *listen(signal?: AbortSignal): AsyncGenerator<string> {
    for (let line = 0; ; line++) {
      const [, , who, text] = await this.#space.rd(["line", line, String, String], { signal });
      yield `${who}: ${text}`;
    }
  }
}

if (import.meta.main) {
  await using bus = await connect("memory:");
  const room = await Room.open(bus, "lobby");
  await room.say("ann", "is anybody here?");
  await room.say("bob", "I came later, and have read you");
  let left = 2;
  for await (const line of room.listen()) {
    console.log(line);
    if (--left === 0) break;
  }
}
