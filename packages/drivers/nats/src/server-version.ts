/** Whether a server of this version is at least of that release. */
export function isAtLeast(version: string, major: number, minor: number, patch: number = 0): boolean {
  const parts = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (parts === null) return false;
  const [own, asked] = [parts.slice(1).map(Number), [major, minor, patch]];
  for (const [at, part] of own.entries()) if (part !== asked[at]) return part > asked[at]!;
  return true;
}
