import assert from 'node:assert/strict';
import { parseScopes, type Scope } from '../../../src/token/scope.ts';

/** Scopes of an input without mistakes in its syntax. */
export function scopesOf(text: string): readonly Scope[] {
  const { scopes, mistakes } = parseScopes(text);
  assert.deepEqual(mistakes, []);
  return scopes;
}
