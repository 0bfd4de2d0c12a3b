/** The table of clauses and drivers, made from what Vitest's JSON reporter wrote of any number of runs of the suite. */
import type { Clause } from "./clause.ts";
import { clauses as allClauses } from "./clauses.ts";
import type { AbsenceRecord, ClauseRecord } from "./record.ts";

/** What a driver does with a clause. Absent: what it needs is not there, for a declared reason; missing: nobody knows why. */
export type Cell =
  | { readonly kind: "passed" | "failed" | "missing" }
  | { readonly kind: "exempt" | "absent"; readonly reason: string };

export interface MatrixRow {
  readonly clause: Clause;
  /** One a column. */
  readonly cells: readonly Cell[];
}

export interface Matrix {
  /** Driver and server version. */
  readonly columns: readonly string[];
  readonly rows: readonly MatrixRow[];
}

interface Assertion {
  readonly status: string;
  readonly meta?: { readonly quadrantClause?: ClauseRecord; readonly quadrantAbsence?: AbsenceRecord };
}

/** As much of a report as is looked at. */
interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly Assertion[] }[];
}

interface Column {
  readonly ran: Map<string, Cell>;
  readonly absences: AbsenceRecord[];
}

const missing: Cell = { kind: "missing" };

function headingOf({ driver, version }: ClauseRecord | AbsenceRecord): string {
  return version === undefined ? driver : `${driver} ${version}`;
}

/** One that failed anywhere failed; a run that was cut short before the test says nothing. */
function cellOf(status: string, { exemption }: ClauseRecord, before: Cell | undefined): Cell | undefined {
  if (status === "failed" || before?.kind === "failed") return { kind: "failed" };
  if (status !== "passed") return before;
  return exemption === undefined ? { kind: "passed" } : { kind: "exempt", reason: exemption };
}

function columnsOf(reports: readonly unknown[]): ReadonlyMap<string, Column> {
  const columns = new Map<string, Column>();
  const columnOf = (record: ClauseRecord | AbsenceRecord): Column => {
    const heading = headingOf(record);
    const column = columns.get(heading) ?? { ran: new Map<string, Cell>(), absences: [] };
    columns.set(heading, column);
    return column;
  };
  const files = (reports as readonly Report[]).flatMap(({ testResults }) => testResults);
  for (const { status, meta } of files.flatMap(({ assertionResults }) => assertionResults)) {
    const ran = meta?.quadrantClause;
    const absence = meta?.quadrantAbsence;
    if (absence !== undefined && status === "passed") columnOf(absence).absences.push(absence);
    if (ran === undefined) continue;
    const column = columnOf(ran);
    const cell = cellOf(status, ran, column.ran.get(ran.clause));
    if (cell !== undefined) column.ran.set(ran.clause, cell);
  }
  return columns;
}

function absent(clause: Clause, absences: readonly AbsenceRecord[]): Cell {
  const absence = absences.find(({ needs }) => needs.includes(clause.needs));
  return absence === undefined ? missing : { kind: "absent", reason: absence.reason };
}

/** `reports`: parsed. A row for each clause of the suite, a column for each driver and server version that was met. */
export function matrixOf(reports: readonly unknown[], clauses: readonly Clause[] = allClauses): Matrix {
  const columns = [...columnsOf(reports)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    columns: columns.map(([heading]) => heading),
    rows: clauses.map((clause) => ({
      clause,
      cells: columns.map(([, { ran, absences }]) => ran.get(clause.id) ?? absent(clause, absences)),
    })),
  };
}

/** What must not be: clauses that failed, and clauses that were not run though nobody said why. Empty is good. */
export function holesOf({ columns, rows }: Matrix): readonly string[] {
  return rows.flatMap(({ clause, cells }) =>
    cells.flatMap(({ kind }, at) =>
      kind === "failed" || kind === "missing" ? [`${clause.id} on ${columns[at]}: ${kind}`] : [],
    ),
  );
}

/** Reasons, numbered as they come. */
class Notes {
  readonly #numbers = new Map<string, number>();

  number(reason: string): number {
    const number = this.#numbers.get(reason) ?? this.#numbers.size + 1;
    this.#numbers.set(reason, number);
    return number;
  }

  get lines(): readonly string[] {
    return [...this.#numbers].map(([reason, number]) => `${number}. ${reason}`);
  }
}

/** One a column: so many passed, and so on. */
function countsOf({ columns, rows }: Matrix): readonly string[] {
  return columns.map((heading, at) => {
    const counts = Map.groupBy(rows, ({ cells }) => cells[at]!.kind);
    return `\`${heading}\` ${[...counts].map(([kind, some]) => `${some.length} ${kind}`).join(", ")}`;
  });
}

/**
 * As Markdown: the table, what its signs mean, the reasons, the counts. A cell that is no pass names its reason by number:
 * `n/a` where the clause needs what is not there, `exempt` where it is known to fail.
 */
export function markdownOf(matrix: Matrix): string {
  const notes = new Notes();
  const text = (cell: Cell): string => {
    if (cell.kind === "passed") return "✓";
    if (cell.kind === "absent") return `n/a ${notes.number(cell.reason)}`;
    return cell.kind === "exempt" ? `exempt ${notes.number(cell.reason)}` : `**${cell.kind}**`;
  };
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const table = [
    line(["clause", "promise", ...matrix.columns]),
    line(["---", "---", ...matrix.columns.map(() => ":-:")]),
    ...matrix.rows.map(({ clause, cells }) => {
      const promise = clause.promise.replaceAll("|", "\\|");
      return line([`\`${clause.id}\``, promise, ...cells.map(text)]);
    }),
  ];
  const counts = countsOf(matrix).map((each) => `- ${each}`);
  const reasons = notes.lines.length === 0 ? [] : ["", ...notes.lines];
  return `${[...table, ...reasons, "", ...counts].join("\n")}\n`;
}
