/** What a timeline record ends with; the order is the order of severity (`TaskResult` of the agent). */
export type TaskResult = 'Succeeded' | 'SucceededWithIssues' | 'Failed' | 'Canceled' | 'Skipped' | 'Abandoned';

const bySeverity: readonly TaskResult[] = [
  'Succeeded',
  'SucceededWithIssues',
  'Failed',
  'Canceled',
  'Skipped',
  'Abandoned',
];

/** The worse of two results wins; whatever is beyond `Failed` (cancelled, skipped, abandoned) stays. */
export function mergeTaskResults(current: TaskResult | undefined, coming: TaskResult): TaskResult {
  if (current === undefined) {
    return coming;
  }
  const rank = bySeverity.indexOf(current);
  if (rank > bySeverity.indexOf('Failed')) {
    return current;
  }
  return bySeverity.indexOf(coming) >= rank ? coming : current;
}

/** Reads the `result` of `task.complete`: the exact name, case included, or its number. `Cancelled` is neither. */
export function parseTaskResult(text: string): TaskResult | undefined {
  const word = text.trim();
  if (/^[0-5]$/.test(word)) {
    return bySeverity[Number(word)];
  }
  return bySeverity.find((name) => name === word);
}
