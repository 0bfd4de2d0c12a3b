/** Whether every subject that the valid pattern `wanted` matches is matched by the valid pattern `allowed`, too. */
export function coversPattern(allowed: string, wanted: string): boolean {
  const grant = allowed.split(".");
  const tokens = wanted.split(".");
  for (const [i, granted] of grant.entries()) {
    if (granted === ">") return tokens.length > i;
    const token = tokens[i];
    // `>` stands for more tokens than anything but `>` allows.
    if (token === undefined || token === ">") return false;
    if (granted !== "*" && granted !== token) return false;
  }
  return grant.length === tokens.length;
}
