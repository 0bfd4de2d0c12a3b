import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { clauses } from "./clauses.ts";
import { holesOf, markdownOf, matrixOf } from "./matrix.ts";

/** What Vitest's JSON reporter wrote of two drivers, cut down to some clauses. */
const text = readFileSync(new URL("./recorded-report.json", import.meta.url), "utf8");
const recorded = (): { readonly testResults: { readonly assertionResults: Recorded[] }[] } => JSON.parse(text);

interface Recorded {
  status: string;
  readonly meta: { readonly quadrantClause?: { version?: string; readonly clause: string; exemption?: string } };
}

const ids = ["close/twice", "recovery/status", "kept/letters"];
const some = clauses.filter(({ id }) => ids.includes(id));

/** The report, with something else in what it says of a clause. */
function changed(clause: string, change: (recorded: Recorded) => void): unknown {
  const report = recorded();
  const all = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  for (const each of all) if (each.meta.quadrantClause?.clause === clause) change(each);
  return report;
}

const kindsOf = (reports: readonly unknown[], clause: string): readonly string[] =>
  matrixOf(reports, some)
    .rows.find((row) => row.clause.id === clause)!
    .cells.map(({ kind }) => kind);

describe("a matrix of clauses", () => {
  it("says what each driver did with each clause, and why where it did not", () => {
    const matrix = matrixOf([recorded()], some);
    expect(matrix.columns).toEqual(["memory:", "zmq:"]);
    expect(matrix.rows.map(({ clause, cells }) => [clause.id, ...cells.map(({ kind }) => kind)])).toEqual([
      ["close/twice", "passed", "passed"],
      ["recovery/status", "absent", "passed"],
      ["kept/letters", "absent", "absent"],
    ]);
    expect(holesOf(matrix)).toEqual([]);
  });

  it("prints the reasons below the table, each once", () => {
    const lines = markdownOf(matrixOf([recorded()], some)).split("\n");
    expect(lines[0]).toBe("| clause | promise | memory: | zmq: |");
    expect(lines.find((line) => line.includes("kept/letters"))).toContain("| n/a 1 | n/a 2 |");
    expect(lines.filter((line) => /^\d+\. /.test(line))).toEqual([
      "1. the engine lives in this process and dies with it",
      "2. this hub holds everything in memory",
    ]);
    expect(lines).toContain("- `zmq:` 2 passed, 1 absent");
  });

  it("tells an exemption from a pass, with its reason", () => {
    const report = changed("close/twice", ({ meta }) => {
      meta.quadrantClause!.exemption = "closes once only";
    });
    const markdown = markdownOf(matrixOf([report], some));
    expect(markdown).toContain("| exempt 1 | exempt 1 |");
    expect(markdown).toContain("1. closes once only");
  });

  it("takes a clause that failed in one run for failed, and names it", () => {
    const failed = changed("close/twice", (each) => {
      each.status = "failed";
    });
    expect(kindsOf([failed, recorded()], "close/twice")).toEqual(["failed", "failed"]);
    expect(kindsOf([recorded(), failed], "close/twice")).toEqual(["failed", "failed"]);
    expect(holesOf(matrixOf([failed], some))).toEqual([
      "close/twice on memory:: failed",
      "close/twice on zmq:: failed",
    ]);
  });

  it("takes a clause that was not run, though nobody said why, for missing", () => {
    const skipped = changed("close/twice", (each) => {
      each.status = "skipped";
    });
    expect(kindsOf([skipped], "close/twice")).toEqual(["missing", "missing"]);
    expect(holesOf(matrixOf([recorded()], clauses))).toContain("bus/json on zmq:: missing");
  });

  it("has a column for each version of a server", () => {
    const newer = changed("close/twice", ({ meta }) => {
      meta.quadrantClause!.version = "9.0.0";
    });
    expect(matrixOf([recorded(), newer], some).columns).toEqual(["memory:", "memory: 9.0.0", "zmq:", "zmq: 9.0.0"]);
  });
});
