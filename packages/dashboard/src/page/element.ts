type Child = Node | string | undefined;
type Attributes = Readonly<Record<string, string | boolean | ((event: Event) => void) | undefined>>;

/** An element with attributes (a function listens to the event of its name) and children. Text is text: nothing is parsed. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else set(made, name, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Sets an attribute where it differs; false and undefined take it away. */
export function set(target: Element, name: string, value: string | boolean | undefined): void {
  if (value === false || value === undefined) target.removeAttribute(name);
  else {
    const text = value === true ? "" : value;
    if (target.getAttribute(name) !== text) target.setAttribute(name, text);
  }
}

export function say(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A screen reader says it when it has finished what it says; the same words twice are said twice. */
export function announce(text: string): void {
  const news = document.getElementById("news");
  if (news === null) return;
  const line = element("p", {}, text);
  news.append(line);
  while (news.childElementCount > 5) news.firstElementChild?.remove();
}
