import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';

describe('errors', () => {
  it('say code, what happened, why and the next step, a line each', () => {
    const error = new ScopedTokenError('TARGET_DENIED', {
      happened: 'The account contoso refused.',
      why: 'No role.',
      next: 'Assign one.',
    });
    assert.equal(error.message, 'TARGET_DENIED: The account contoso refused.\nWhy: No role.\nNext: Assign one.');
    assert.equal(error.code, 'TARGET_DENIED');
    assert.equal(error.name, 'ScopedTokenError');
    assert.ok(error instanceof Error);
  });

  it('say no "why" and no "for support" when there is none', () => {
    for (const provider of [undefined, {}, { ids: {} }]) {
      const text = { happened: 'It failed.', next: 'Run again.', ...(provider ? { provider } : {}) };
      assert.equal(new ScopedTokenError('INTERNAL', text).message, 'INTERNAL: It failed.\nNext: Run again.');
    }
  });

  it('carry the code and the ids of the provider', () => {
    const provider = { code: 'AADSTS700213', ids: { trace_id: 't-1', 'x-ms-request-id': 'r-1' } };
    const { message } = new ScopedTokenError('ENTRA_TRUST', { happened: 'No.', next: 'Fix.', provider });
    assert.equal(message.split('\n').at(-1), 'For support: AADSTS700213, trace_id t-1, x-ms-request-id r-1');
    const idsOnly = new ScopedTokenError('ENTRA_TRUST', {
      happened: 'No.',
      next: 'Fix.',
      provider: { ids: { a: 'b' } },
    });
    assert.match(idsOnly.message, /For support: a b$/);
  });

  it('never say "undefined"', () => {
    const texts = [
      { happened: 'A.', next: 'B.' },
      { happened: 'A.', next: 'B.', why: '', provider: { code: '' } },
    ];
    for (const text of texts) {
      assert.doesNotMatch(new ScopedTokenError('INTERNAL', text).message, /undefined|Why|support/);
    }
  });

  it('keep the cause out of the message', () => {
    const cause = new Error('Bearer eyJhbGciOiJub25lIn0.e30.c2ln');
    const error = new ScopedTokenError('NETWORK_FAILED', { happened: 'A.', next: 'B.' }, { cause });
    assert.equal(error.cause, cause);
    assert.doesNotMatch(error.message, /eyJ/);
    assert.equal(new ScopedTokenError('INTERNAL', { happened: 'A.', next: 'B.' }).cause, undefined);
  });
});
