import type { Seat } from "../games.ts";

/** A seat of this browser's, as the server gave it. */
export interface OwnSeat {
  readonly match: string;
  readonly game: string;
  readonly seat: Seat;
  readonly token: string;
}

const kept = 100;
const seatsKey = "quadrant.seats";
const nameKey = "quadrant.name";

function read<T>(key: string): T | undefined {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Without a store the seats last as long as the page.
  }
}

let seats: readonly OwnSeat[] = read<readonly OwnSeat[]>(seatsKey) ?? [];

export function keepSeat(seat: OwnSeat): void {
  // Another tab may have kept one meanwhile.
  seats = [seat, ...(read<readonly OwnSeat[]>(seatsKey) ?? seats).filter(({ match }) => match !== seat.match)].slice(
    0,
    kept,
  );
  write(seatsKey, seats);
}

export function ownSeat(match: string): OwnSeat | undefined {
  return (
    seats.find((seat) => seat.match === match) ??
    read<readonly OwnSeat[]>(seatsKey)?.find((seat) => seat.match === match)
  );
}

export function ownName(): string {
  return read<string>(nameKey) ?? "";
}

export function keepName(name: string): void {
  write(nameKey, name);
}
