import type { Transition } from "@quadrant/mapreduce";

/** What has happened to a job, on a line; undefined for what is of no interest to people. */
export function textOf(transition: Transition): string | undefined {
  switch (transition.kind) {
    case "submitted":
      return `submitted: ${transition.submission.reference.module}, by ${transition.submission.coupling}, shuffle ${transition.submission.shuffle}`;
    case "taken-over":
      return `in the hands of the master ${transition.by}`;
    case "split":
      return undefined;
    case "planned":
      return `planned: ${transition.extent.files} files, ${transition.extent.bytes} bytes`;
    case "mapped":
      return `map-${transition.result.index} done by ${transition.worker} in ${transition.ms} ms`;
    case "reduced":
      return `reduce-${transition.result.partition} done by ${transition.worker} in ${transition.ms} ms`;
    case "lost":
      return `${transition.task} is to be done again: ${transition.name} was lost`;
    case "failed":
      return `${transition.task} failed on ${transition.worker}: ${failureText(transition.failure)}`;
    case "left-out":
      return `${transition.task} goes on without a record: ${transition.skipped.message}`;
    case "next-round":
      return `round ${transition.round} begins`;
    case "cancelling":
      return "to be cancelled";
    case "ending":
      return undefined;
    case "ended":
      return `${transition.outcome}${transition.error === undefined ? "" : `: ${transition.error.stack ?? transition.error.message}`}`;
  }
}

function failureText(failure: Extract<Transition, { kind: "failed" }>["failure"]): string {
  return "stack" in failure ? `${failure.kind}: ${failure.stack}` : `${failure.kind}: ${failure.message}`;
}
