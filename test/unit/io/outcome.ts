import assert from 'node:assert/strict';
import { type ErrorCode, ScopedTokenError } from '../../../src/errors.ts';

/** The error that the promise rejects with; it must be one of ours, with that code. */
export async function failureOf(promise: Promise<unknown>, code: ErrorCode): Promise<ScopedTokenError> {
  const error = await promise.then(
    () => assert.fail(`resolved, although ${code} was expected`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof ScopedTokenError, `not one of ours: ${String(error)}`);
  assert.equal(error.code, code, error.message);
  assert.doesNotMatch(error.message, /undefined|\[object|NaN/);
  return error;
}
