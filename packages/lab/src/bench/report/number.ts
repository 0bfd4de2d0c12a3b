/** A figure with three digits, or whole where it is large: 0.0123, 4.56, 789, 12,345. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = Math.abs(value) >= 1_000 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toLocaleString("en-US", { maximumFractionDigits: Math.min(digits, 4) });
}

export function range(low: number, high: number): string {
  return `${figure(low)} … ${figure(high)}`;
}
