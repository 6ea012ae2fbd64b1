import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  appendRecord,
  head,
  ledgerText,
  readRecords,
  resumeLedger,
  startLedger,
  verifyLedger,
} from '../../../src/audit/ledger.ts';
import type { RecordDraft } from '../../../src/audit/record.ts';
import { ScopedTokenError } from '../../../src/errors.ts';
import { endDraft, hostileTexts, intentDraft, issuedDraft, ledgerOf, randomDraft, randomOf } from './sample-records.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const code = (wanted: string) => (error: unknown) => error instanceof ScopedTokenError && error.code === wanted;

describe('ledger', () => {
  const ledger = ledgerOf([intentDraft, issuedDraft, endDraft]);
  const lines = ledgerText(ledger).split('\n').slice(0, -1);

  it('begins with the seed of its five ids, as documented', () => {
    const { organisation, projectId, planId, jobId, stepId } = intentDraft.where;
    const seed = `["scoped-token.ledger/1","${organisation}","${projectId}","${planId}","${jobId}","${stepId}"]`;
    assert.equal(ledger.records[0]?.prev, sha256(seed));
  });

  it('hashes the exact bytes of a line up to its hash, as documented', () => {
    assert.equal(lines.length, 3);
    for (const [index, line] of lines.entries()) {
      const [covered = '', tail = ''] = line.split(',"hash":"');
      assert.equal(tail, `${sha256(`${covered}}`)}"}`);
      const keys = Object.keys(JSON.parse(line) as object);
      assert.deepEqual([...keys.slice(0, 2), ...keys.slice(-2)], ['v', 'seq', 'prev', 'hash']);
      assert.equal(ledger.records[index]?.seq, index + 1);
      if (index > 0) assert.equal(ledger.records[index]?.prev, ledger.records[index - 1]?.hash);
    }
    assert.equal(head(ledger), ledger.records[2]?.hash);
  });

  it('is a value: adding a record leaves the ledger that was there', () => {
    const before = ledgerText(ledger);
    appendRecord(ledger, { ...endDraft, recordId: 'another' }, []);
    assert.equal(ledgerText(ledger), before);
    assert.equal(head(startLedger()), '');
  });

  it('writes no field that the type does not have, at any depth', () => {
    const draft = {
      ...intentDraft,
      v: 7,
      seq: 99,
      hash: 'x',
      authorization: 'Bearer abc',
      what: { ...intentDraft.what, header: 'abc' },
      who: { ...intentDraft.who, secret: { reveal: 'abc' } },
    } as unknown as RecordDraft;
    const text = ledgerText(ledgerOf([draft]));
    assert.doesNotMatch(text, /abc|reveal|authorization|header/);
    assert.equal(text, ledgerText(ledgerOf([intentDraft])));
  });

  it('refuses a draft that is no record, and adds nothing', () => {
    const bad: Record<string, unknown>[] = [
      { time: 'yesterday' },
      { time: '2026-11-25T10:00:00+01:00' },
      { event: 'invented' },
      { monotonicMilliseconds: Number.NaN },
      { monotonicMilliseconds: -1 },
      { outcome: { code: 'not a code' } },
      { outcome: { code: 'OK', reason: { nested: true } } },
      { what: { ...intentDraft.what, asked: 'read on logs' } },
      { what: { ...intentDraft.what, enforcement: 'strong' } },
      { where: { ...intentDraft.where, try: 0 } },
      { where: { ...intentDraft.where, jobAttempt: 1.5 } },
      { issuer: { ids: { name: 1 } } },
    ];
    for (const fields of bad) {
      const draft = { ...intentDraft, ...fields } as unknown as RecordDraft;
      assert.throws(() => appendRecord(startLedger(), draft, []), code('LEDGER_WRITE'), JSON.stringify(fields));
    }
  });

  it('refuses a record of another step', () => {
    for (const name of ['organisation', 'projectId', 'planId', 'jobId', 'stepId'] as const) {
      const draft = { ...issuedDraft, where: { ...issuedDraft.where, [name]: 'another' } };
      assert.throws(() => appendRecord(ledger, draft, []), code('LEDGER_WRITE'), name);
    }
  });

  it('keeps its ids when two stages know different secrets, one of which is an id', () => {
    const { organisation } = intentDraft.where;
    for (const [first, second] of [
      [[organisation], []],
      [[], [organisation]],
    ] as const) {
      const main = ledgerOf([intentDraft], first);
      const post = appendRecord(main, endDraft, second);
      assert.equal(verifyLedger(ledgerText(post)).state, 'consistent');
      assert.equal(post.records[1]?.where.organisation, main.records[0]?.where.organisation);
    }
  });

  it('holds one line per record and no command, whatever the texts are', () => {
    const random = randomOf(7);
    for (let run = 0; run < 60; run += 1) {
      const drafts = Array.from({ length: 1 + Math.floor(random() * 5) }, () => randomDraft(random));
      const made = ledgerOf(drafts);
      const text = ledgerText(made);
      assert.equal(text.split(/\r\n|[\n\r\u0085\u2028\u2029\v\f]/).length, drafts.length + 1);
      assert.doesNotMatch(text, /##/);
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      assert.deepEqual(verifyLedger(text, { head: head(made) }), {
        state: 'consistent',
        head: head(made),
        count: drafts.length,
      });
      assert.deepEqual(readRecords(text), { records: made.records, problems: [] });
    }
  });

  it('gives back hostile texts as they were', () => {
    for (const text of hostileTexts) {
      const made = ledgerOf([{ ...intentDraft, purpose: text, issuer: { ids: { [text]: text } } }]);
      const [record] = readRecords(ledgerText(made)).records;
      if (text.includes('fabrikam') || text.includes('?')) continue; // what scrubbing may touch has tests of its own
      assert.equal(record?.purpose, text);
      assert.deepEqual(Object.entries(record?.issuer?.ids ?? {}), [[text, text]]);
    }
  });
});

describe('resumeLedger', () => {
  const main = ledgerOf([intentDraft, issuedDraft]);

  it('goes on where the earlier stage ended', () => {
    const resumed = resumeLedger(ledgerText(main), head(main));
    assert.deepEqual(resumed, main);
    const final = appendRecord(resumed, endDraft, []);
    assert.deepEqual(final, ledgerOf([intentDraft, issuedDraft, endDraft]));
    assert.ok(ledgerText(final).startsWith(ledgerText(main)));
  });

  it('takes up an empty ledger only where none was expected', () => {
    assert.deepEqual(resumeLedger('', ''), startLedger());
    assert.throws(() => resumeLedger('', head(main)), code('LEDGER_TAMPERED'));
    assert.throws(() => resumeLedger(ledgerText(main), ''), code('LEDGER_TAMPERED'));
  });

  it('refuses every other text', () => {
    const text = ledgerText(main);
    const bad = [
      text.replace('read,list', 'read,liar'),
      text.slice(0, -1),
      `${text}\n`,
      text.split('\n').slice(0, 1).join('\n').concat('\n'),
      text.split('\n').slice(1).join('\n'),
      ledgerText(appendRecord(main, endDraft, [])),
      ledgerText(ledgerOf([intentDraft, { ...issuedDraft, purpose: 'rebuilt' }])),
    ];
    for (const other of bad) assert.throws(() => resumeLedger(other, head(main)), code('LEDGER_TAMPERED'), other);
  });

  it('refuses a rebuilt chain whose records cannot be read', () => {
    const made = ledgerOf([intentDraft]);
    const body = ledgerText(made).split(',"hash":')[0]?.replace('"event":"intent"', '"event":"invented"');
    const hash = sha256(`${body}}`);
    const text = `${body},"hash":"${hash}"}\n`;
    assert.equal(verifyLedger(text).state, 'consistent');
    assert.throws(() => resumeLedger(text, hash), code('LEDGER_TAMPERED'));
  });
});
