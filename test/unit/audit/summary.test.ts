import assert from 'node:assert/strict';
import type { RecordDraft } from '../../../src/audit/record.ts';
import { summarise } from '../../../src/audit/summary.ts';
import { endDraft, intentDraft, issuedDraft, recordsOf } from './sample-records.ts';

const at = (draft: RecordDraft, changes: Partial<RecordDraft>): RecordDraft => ({ ...draft, ...changes });
const rowsOf = (drafts: readonly RecordDraft[]) => summarise(recordsOf(drafts)).rows;

describe('summarise', () => {
  it('makes one row of all records of a token', () => {
    const { rows, totals, conflicts } = summarise(recordsOf([intentDraft, issuedDraft, endDraft]));
    assert.equal(rows.length, 1);
    const [row] = rows;
    assert.equal(row?.state, 'issued');
    assert.equal(row?.end, 'notRevocable');
    assert.equal(row?.endedOn, endDraft.time);
    assert.equal(row?.endReason, endDraft.outcome.reason);
    assert.equal(row?.askedOn, intentDraft.time);
    assert.equal(row?.issuedOn, issuedDraft.time);
    assert.deepEqual(row?.what, issuedDraft.what);
    assert.deepEqual(row?.token, issuedDraft.token);
    assert.equal(row?.purpose, issuedDraft.purpose);
    assert.equal(row?.clocksDiffer, false);
    assert.equal(totals.tokens, 1);
    assert.deepEqual(totals.byState, { issued: 1, failed: 0, cancelled: 0, unfinished: 0 });
    assert.equal(totals.byEnd.notRevocable, 1);
    assert.deepEqual(totals.byEnforcement, { issuer: 1, broker: 0, bounded: 0, none: 0 });
    assert.deepEqual(conflicts, []);
  });

  it('counts a record that stands in the ledgers of two stages once', () => {
    const main = recordsOf([intentDraft, issuedDraft]);
    const final = recordsOf([intentDraft, issuedDraft, endDraft]);
    assert.deepEqual(summarise([...main, ...final]), summarise(final));
  });

  it('keeps tries and attempts apart, in the order asked', () => {
    const failed = at(issuedDraft, { event: 'failed', recordId: 'f1', outcome: { code: 'NETWORK_TIMEOUT' } });
    const { token: _token, ...withoutToken } = failed;
    const again = { intentId: 'i2', where: { ...intentDraft.where, try: 2 } };
    const rows = rowsOf([
      intentDraft,
      withoutToken,
      at(intentDraft, { ...again, recordId: 'i2' }),
      at(issuedDraft, { ...again, recordId: 'r2' }),
      at(endDraft, { ...again, recordId: 'e2', event: 'revoked' }),
    ]);
    assert.deepEqual(
      rows.map(({ where, state, end, outcome }) => [where.try, state, end, outcome.code]),
      [
        [1, 'failed', 'none', 'NETWORK_TIMEOUT'],
        [2, 'issued', 'revoked', 'OK'],
      ],
    );
  });

  it('gives the row to the try that asked, though a later stage has another number', () => {
    const [row, ...more] = rowsOf([intentDraft, issuedDraft, at(endDraft, { where: { ...endDraft.where, try: 3 } })]);
    assert.deepEqual([row?.where.try, more.length], [1, 0]);
  });

  it('tells an intent that nothing followed from one that failed', () => {
    const cancelled = at(intentDraft, { event: 'cancelled', recordId: 'c', outcome: { code: 'CANCELLED' } });
    assert.deepEqual(
      rowsOf([intentDraft]).map(({ state, end }) => [state, end]),
      [['unfinished', 'unknown']],
    );
    assert.deepEqual(
      rowsOf([intentDraft, cancelled]).map(({ state, end }) => [state, end]),
      [['cancelled', 'none']],
    );
  });

  it('calls a token open until a record says that it ended, and lets a later end correct an earlier one', () => {
    const revokeFailed = at(endDraft, { event: 'revokeFailed', recordId: 'x', outcome: { code: 'REVOKE_FAILED' } });
    assert.equal(rowsOf([intentDraft, issuedDraft])[0]?.end, 'open');
    assert.equal(rowsOf([intentDraft, issuedDraft, revokeFailed])[0]?.end, 'revokeFailed');
    const revoked = at(endDraft, { event: 'revoked' });
    assert.equal(rowsOf([intentDraft, issuedDraft, revokeFailed, revoked])[0]?.end, 'revoked');
    const refused = at(issuedDraft, { event: 'failed', recordId: 'y', outcome: { code: 'GRANTED_EXCESS' } });
    const [row] = rowsOf([intentDraft, issuedDraft, refused]);
    assert.deepEqual([row?.state, row?.end, row?.outcome.code], ['failed', 'open', 'GRANTED_EXCESS']);
  });

  it('makes two rows of two tokens of one intent', () => {
    const second = at(issuedDraft, {
      recordId: 'second',
      token: { fingerprint: 'ff', expiresOn: '2026-11-25T12:00:00Z' },
    });
    const rows = rowsOf([intentDraft, issuedDraft, second, endDraft]);
    assert.deepEqual(
      rows.map(({ token, end }) => [token?.fingerprint, end]),
      [
        [issuedDraft.token?.fingerprint, 'notRevocable'],
        ['ff', 'open'],
      ],
    );
  });

  it('does not mix steps that use one intent id', () => {
    const other = { ...intentDraft.where, stepId: 'another step' };
    const here = recordsOf([intentDraft, issuedDraft]);
    const there = recordsOf([
      at(intentDraft, { where: other, recordId: 'o1' }),
      at(issuedDraft, { where: other, recordId: 'o2' }),
    ]);
    assert.equal(summarise([...here, ...there]).rows.length, 2);
  });

  it('names an id under which two different records stand', () => {
    const forged = recordsOf([intentDraft, at(issuedDraft, { purpose: 'forged' })]);
    const summary = summarise([...recordsOf([intentDraft, issuedDraft]), ...forged]);
    assert.deepEqual(summary.conflicts, [issuedDraft.recordId]);
    assert.equal(summary.rows[0]?.purpose, issuedDraft.purpose);
  });

  it('flags clocks that differ by more than 120 seconds, either way', () => {
    const skewed = (skewSeconds: number) => rowsOf([intentDraft, at(issuedDraft, { issuer: { skewSeconds } })])[0];
    assert.deepEqual(
      [-121, -120, 0, 120, 121].map((s) => skewed(s)?.clocksDiffer),
      [true, false, false, false, true],
    );
    const both = rowsOf([
      at(intentDraft, { issuer: { skewSeconds: -300 } }),
      at(issuedDraft, { issuer: { skewSeconds: 5 } }),
    ]);
    assert.equal(both[0]?.skewSeconds, -300);
  });

  it('says that use is not observed, and where it is', () => {
    const [row] = rowsOf([intentDraft, issuedDraft]);
    assert.match(row?.use.text ?? '', /^Use not observed here/);
    assert.deepEqual(
      row?.use.queries.map(({ table }) => table),
      ['StorageBlobLogs', 'AADServicePrincipalSignInLogs'],
    );
    const [failed] = rowsOf([intentDraft, at(intentDraft, { event: 'failed', recordId: 'f' })]);
    assert.doesNotMatch(failed?.use.text ?? '', /not observed/);
  });
});
