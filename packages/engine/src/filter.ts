import { isLiteral, matchesSubject } from "@quadrant/contract";

/** Whether a subject is wanted. */
export type Filter = (subject: string) => boolean;

/** A pattern made ready for many subjects; without one, all are wanted. */
export function compileFilter(pattern: string | undefined): Filter {
  if (pattern === undefined || pattern === ">") return () => true;
  if (isLiteral(pattern)) return (subject) => subject === pattern;
  if (pattern.endsWith(".>") && isLiteral(pattern.slice(0, -2))) {
    const start = pattern.slice(0, -1);
    return (subject) => subject.startsWith(start);
  }
  return (subject) => matchesSubject(pattern, subject);
}
