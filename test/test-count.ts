/** What came of a run of tests or checks. */
export interface TestCount {
  readonly passed: number;
  readonly failed: number;
  /** One line for every failure. */
  readonly failures: readonly string[];
  /** Tests that could not run here, and why. */
  readonly skipped: readonly { readonly title: string; readonly reason: string }[];
}

/** The sum of two counts. */
export function addCounts(left: TestCount, right: TestCount): TestCount {
  return {
    passed: left.passed + right.passed,
    failed: left.failed + right.failed,
    failures: [...left.failures, ...right.failures],
    skipped: [...left.skipped, ...right.skipped],
  };
}

/** Where nobody reads the output, a test that did not run must not look like one that passed. */
export function withoutSkips(count: TestCount): TestCount {
  const failures = count.skipped.map(
    ({ title, reason }) => `${title}: skipped, and in CI nothing may be skipped (${reason})`,
  );
  return {
    ...count,
    failed: count.failed + count.skipped.length,
    failures: [...count.failures, ...failures],
    skipped: [],
  };
}

/** The lines that end a run: failures, reasons of skips, and last of all `N passed, N failed`. */
export function summaryLines(count: TestCount): readonly string[] {
  const lines = count.failures.map((failure) => `failed: ${failure}`);
  const reasons = new Map<string, number>();
  for (const { reason } of count.skipped) {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  for (const [reason, tests] of reasons) {
    lines.push(`skipped: ${tests} ${tests === 1 ? 'test' : 'tests'}, because ${reason}`);
  }
  const skipped = count.skipped.length > 0 ? `, ${count.skipped.length} skipped` : '';
  return [...lines, `${count.passed} passed, ${count.failed} failed${skipped}`];
}
