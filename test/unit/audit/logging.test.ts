import assert from 'node:assert/strict';
import { headLogLine, recordLogLines } from '../../../src/audit/logging.ts';
import { plainText } from '../../../src/audit/plain-text.ts';
import { hostileTexts, issuedDraft, randomDraft, randomOf, recordsOf } from './sample-records.ts';

describe('recordLogLines', () => {
  it('tells a record in a few lines, with its number and hash', () => {
    const [record] = recordsOf([issuedDraft]);
    assert.ok(record);
    const lines = recordLogLines(record);
    assert.equal(lines[0], `issued at 2026-11-25T10:00:01.250Z, record 1, try 1: OK (${issuedDraft.recordId})`);
    assert.deepEqual(lines.slice(1, 5), [
      '  target      storage https://contosologs.blob.core.windows.net',
      '  asked       read,list on logs/2026/**',
      '  granted     read,list on logs/2026/**',
      '  enforcement issuer (constructed)',
    ]);
    assert.equal(lines.at(-1), `  hash        ${record.hash}`);
    assert.ok(lines.length < 14);
    assert.ok(!lines.some((line) => line.includes('clock')));
  });

  it('flags clocks that differ', () => {
    const [record] = recordsOf([{ ...issuedDraft, issuer: { skewSeconds: 200 } }]);
    assert.ok(record && recordLogLines(record).some((line) => /clock +200 s/.test(line)));
  });

  it('holds no command and no control character, whatever the texts are', () => {
    const random = randomOf(19);
    for (const record of recordsOf(Array.from({ length: 60 }, () => randomDraft(random)))) {
      for (const line of recordLogLines(record)) {
        assert.doesNotMatch(line, /##vso|##\[|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/iu);
        assert.ok(line.length < 2200);
      }
    }
  });
});

describe('plainText', () => {
  it('disarms commands, lines and what cannot be seen', () => {
    for (const text of hostileTexts)
      assert.doesNotMatch(plainText(text), /##vso|##\[|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/iu);
    assert.equal(plainText('a ##vso[x]y'), 'a **vso[x]y');
    assert.equal(plainText('a\nb'), 'a b');
    assert.equal(plainText('#\n#vso[x]'), '# #vso[x]');
    assert.equal(plainText('日本語 🦊'), '日本語 🦊');
  });
});

describe('headLogLine', () => {
  it('gives the head and the number of records', () => {
    assert.equal(headLogLine('ab', 1), 'Ledger head: ab after 1 record');
    assert.equal(headLogLine('ab', 2), 'Ledger head: ab after 2 records');
    assert.equal(headLogLine('', 0), 'Ledger: no record');
  });
});
