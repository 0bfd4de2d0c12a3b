import type { Operation, Report, Violation } from "@quadrant/testkit/history";
import type { Command } from "commander";
import { failed } from "../failure.ts";
import { count } from "../option.ts";
import type { OpenSession, Session } from "../session.ts";

const defaultLimit = 20;

/** What was asked and answered, as the history has it; what is not there is left out. */
function detailsText(details: object): string {
  return Object.entries(details)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

function operationText({ process, n, op, on, args, began, ended, outcome, code, value }: Operation): string {
  const end = Number.isFinite(ended) ? `${ended} µs` : "never";
  const outcomeText = code === undefined ? outcome : `${outcome} (${code})`;
  const asked = `${process} #${n} ${op} ${on} ${detailsText(args)}`.trimEnd();
  return `    ${asked}: ${began} µs to ${end}, ${outcomeText} ${detailsText(value)}`.trimEnd();
}

function violationText({ model, rule, on, message, operations }: Violation): string {
  return [`${model}, ${rule} in ${on}: ${message}`, ...operations.map(operationText)].join("\n");
}

/** Infinity is not JSON: an operation that never returned has no `ended`. */
function operationRecord({ process, n, op, on, args, began, ended, outcome, code, value }: Operation): object {
  return { process, n, op, on, args, began, ...(Number.isFinite(ended) && { ended }), outcome, code, value };
}

async function print(report: Report, session: Session, limit: number): Promise<void> {
  const { output } = session;
  for (const violation of report.violations.slice(0, limit)) {
    const operations = violation.operations.map(operationRecord);
    await output.datum({ kind: "violation", ...violation, operations }, () => violationText(violation));
  }
  const { violations, processes, operations, indefinite, counts } = report;
  const summary = { kind: "summary", violations: violations.length, processes, operations, indefinite, counts };
  if (output.json) await output.line(JSON.stringify(summary));
  output.talk(
    `${operations} operations of ${processes} processes, ${indefinite} of them indefinite; ${detailsText(counts)}`,
  );
}

export function configure(command: Command, open: OpenSession): void {
  command
    .argument(
      "<history...>",
      "files of JSON lines, as @quadrant/testkit/history records them: one or more of each process",
    )
    .option("--limit <n>", `how many violations are printed (default: ${defaultLimit})`, count)
    .addHelpText("after", "\nExit code 1 where a promise was broken, or the files are no history. No bus is needed.")
    .action(async (files: readonly string[], { limit = defaultLimit }: { readonly limit?: number }) => {
      const session = open(command);
      const { check, readHistory } = await import("@quadrant/testkit/history");
      const report = check(await readHistory(...files));
      await print(report, session, limit);
      const found = report.violations.length;
      if (found > 0) throw failed(`${found} ${found === 1 ? "violation" : "violations"}`);
    });
}
