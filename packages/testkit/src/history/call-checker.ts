import type { Operation } from "./operation.ts";
import type { Findings } from "./violation.ts";

/** Whether a call may have reached a server: what is known to have failed has not, unless the server itself said so. */
function mayHaveRun({ outcome, code }: Operation): boolean {
  return outcome !== "failed" || code === "remote";
}

function during(execution: Operation, call: Operation): boolean {
  return execution.began >= call.began && execution.began <= call.ended;
}

/** What a call got, put beside what an execution gave. */
function answers(execution: Operation, call: Operation): boolean {
  if (!during(execution, call) || execution.ended > call.ended) return false;
  const { value, got } = execution;
  if (call.code === "remote") return value.error !== undefined && value.error === call.value.error;
  return value.error === undefined && value.data === call.value.data && got.length >= call.got.length;
}

function streams(execution: Operation, call: Operation): boolean {
  return during(execution, call) && call.got.every(({ value }, at) => execution.got[at]?.value.data === value.data);
}

/** The calls of one method with the same arguments, and what was executed for them. */
function checkAlike(
  on: string,
  calls: readonly Operation[],
  executions: readonly Operation[],
  findings: Findings,
): void {
  findings.steps += calls.length * Math.max(1, executions.length);
  const report = (rule: string, message: string, operations: readonly Operation[]): void => {
    findings.violations.push({ model: "direct", rule, on, message, operations });
  };
  const able = calls.filter(mayHaveRun);
  if (executions.length > able.length) {
    const rule = able.length < calls.length && able.length === 0 ? "failed-yet-executed" : "executed-too-often";
    report(rule, `executed ${executions.length} times for ${able.length} calls`, [...calls, ...executions]);
    return;
  }
  for (const execution of executions) {
    if (calls.every(({ began }) => began > execution.began)) {
      report("before-called", "executed before it was called", [execution, ...calls]);
    }
  }
  for (const call of calls) {
    const { outcome, code, got } = call;
    if (got.length > 0 && !executions.some((execution) => streams(execution, call))) {
      report("wrong-items", "its items are those of no execution of it", [call, ...executions]);
    } else if ((outcome === "done" || code === "remote") && !executions.some((each) => answers(each, call))) {
      report("wrong-reply", "its reply is that of no execution of it", [call, ...executions]);
    }
  }
}

/** Looks at the calls of one address, and at what its servers executed. */
export function checkCalls(on: string, own: readonly Operation[], findings: Findings): void {
  const keyOf = ({ args }: Operation): string => `${args.method}\n${args.data}`;
  const calls = own.filter(({ op }) => op === "call");
  const executions = Map.groupBy(
    own.filter(({ op }) => op === "execute"),
    keyOf,
  );
  findings.count("calls", calls.length);
  // Nobody noted down what its servers did: there is nothing to compare with.
  if (executions.size === 0 && !own.some(({ op }) => op === "serve")) {
    findings.count("callsUnjudged", calls.length);
    return;
  }
  const byKey = Map.groupBy(calls, keyOf);
  for (const [key, alike] of byKey) checkAlike(on, alike, executions.get(key) ?? [], findings);
  for (const [key, executed] of executions) {
    findings.count("executions", executed.length);
    if (byKey.has(key) || calls.length === 0) continue;
    const message = `${key.replace("\n", " ")} was executed and never called`;
    findings.violations.push({ model: "direct", rule: "invented", on, message, operations: executed });
  }
}
