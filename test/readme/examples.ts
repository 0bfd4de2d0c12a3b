/** The programs of a README: a `ts` block under a heading, followed by a `text` block with what it prints. */
export interface Example {
  readonly title: string;
  readonly program: string;
  readonly output: string;
}

export function examplesOf(readme: string): readonly Example[] {
  const sections = readme.split(/^### /m).slice(1);
  return sections.flatMap((section) => {
    const [, program, output] = /```ts\n([\s\S]*?)```\n```text\n([\s\S]*?)```/.exec(section) ?? [];
    if (program === undefined || output === undefined) return [];
    return [{ title: section.split("\n", 1)[0] ?? "", program, output }];
  });
}
