/**
 * Calls back after everything else that this turn of the event loop still does: whatever is resolved by now has been
 * continued. No timer, no I/O, no other turn comes in between.
 */
export function afterTurn(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback));
}
