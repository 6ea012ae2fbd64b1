/**
 * What a test needs and a machine may lack. A test that lacks it is skipped with a reason, which the end of the test
 * run prints; a skip without a reason counts as a failure.
 */
import type { Context, Runnable } from 'mocha';
import { missingReason } from './install-debian.ts';
import { findNode24 } from './node24.ts';
import { type DebianProgram, debianProgram } from './servers/debian.ts';

// Kept on mocha's own objects: mocha loads test files through another module loader than its reporter, so that this module
// exists twice.
const REASON = Symbol.for('scoped-token.skip-reason');
type WithReason = { [REASON]?: string };

/**
 * Skips the running test, or the whole suite when called from a `before` hook, and remembers why.
 * @throws mocha's own signal for a skip, always
 */
export function skipBecause(context: Context, reason: string): never {
  const runnable = context.runnable();
  // A `before` hook skips every test of its suite, so the reason belongs to the suite.
  const owner = 'type' in runnable && runnable.type === 'hook' ? runnable.parent : runnable;
  ((owner ?? runnable) as WithReason)[REASON] = reason;
  return context.skip();
}

/** Path of a program from Debian; without it, skips as `skipBecause` does. */
export function requireDebian(context: Context, name: DebianProgram): string {
  const state = debianProgram(name);
  return state.available ? state.path : skipBecause(context, missingReason(name) ?? state.reason);
}

/** Path of a Node 24 binary; without one, skips as `skipBecause` does. */
export function requireNode24(context: Context): string {
  const node = findNode24();
  return 'path' in node ? node.path : skipBecause(context, node.reason);
}

/** Why a skipped test was skipped; undefined when nobody said. */
export function skipReason(test: Runnable): string | undefined {
  let reason = (test as WithReason)[REASON];
  for (let suite = test.parent; reason === undefined && suite !== undefined; suite = suite.parent) {
    reason = (suite as WithReason)[REASON];
  }
  return reason;
}
