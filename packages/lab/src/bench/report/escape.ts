const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text as it stands in HTML, in elements and attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => escapes[character]!);
}
