import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { head, ledgerText, verifyLedger } from '../../../src/audit/ledger.ts';
import { endDraft, intentDraft, issuedDraft, ledgerOf, randomDraft, randomOf } from './sample-records.ts';

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');
const ledger = ledgerOf([intentDraft, issuedDraft, endDraft]);
const text = ledgerText(ledger);
const lines = text.split('\n').slice(0, -1);
const fileOf = (parts: readonly string[]) => parts.map((line) => `${line}\n`).join('');

/** A line with other content and a hash that fits: what somebody writes who can compute the chain. */
function resealed(line: string, change: (body: string) => string): string {
  const body = `${change(line.split(',"hash":')[0] ?? '')}}`;
  return `${body.slice(0, -1)},"hash":"${sha256(body)}"}`;
}

describe('verifyLedger', () => {
  it('accepts a ledger as text and as bytes', () => {
    const good = { state: 'consistent', head: head(ledger), count: 3 };
    assert.deepEqual(verifyLedger(text), good);
    assert.deepEqual(verifyLedger(Buffer.from(text)), good);
    assert.deepEqual(verifyLedger(text, { head: head(ledger) }), good);
    assert.deepEqual(verifyLedger(''), { state: 'empty', head: '', count: 0 });
  });

  it('detects a flip in every byte, at the line where it is', function () {
    this.timeout(30_000);
    const bytes = Buffer.from(text);
    let line = 1;
    for (let at = 0; at < bytes.length; at += 1) {
      const original = bytes[at] as number;
      // every bit where the chain's own fields stand
      const bits = at > bytes.length - 160 || at < 20 ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8];
      for (const bit of bits) {
        bytes[at] = original ^ (1 << bit);
        const found = verifyLedger(bytes);
        assert.equal(found.state, 'broken', `byte ${at}, bit ${bit}`);
        assert.equal(found.firstBad?.line, line, `byte ${at}, bit ${bit}: ${found.firstBad?.reason}`);
      }
      bytes[at] = original;
      if (original === 0x0a) line += 1;
    }
    assert.equal(verifyLedger(bytes).state, 'consistent');
  });

  it('detects every removed, doubled and swapped line of random ledgers, and every foreign one', () => {
    const random = randomOf(41);
    for (let run = 0; run < 25; run += 1) {
      const made = ledgerOf(Array.from({ length: 2 + Math.floor(random() * 5) }, () => randomDraft(random)));
      const all = ledgerText(made).split('\n').slice(0, -1);
      for (const [index, line] of all.entries()) {
        const removed = verifyLedger(fileOf(all.toSpliced(index, 1)), { head: head(made) });
        assert.equal(removed.state, 'broken');
        assert.equal(removed.firstBad?.line, index + 1);
        const doubled = verifyLedger(fileOf(all.toSpliced(index, 0, line)));
        assert.deepEqual(
          [doubled.state, doubled.firstBad?.line, doubled.firstBad?.seq],
          ['broken', index + 2, index + 1],
        );
        for (let other = 0; other < index; other += 1) {
          const swapped = verifyLedger(fileOf(all.with(index, all[other] as string).with(other, line)));
          assert.deepEqual([swapped.state, swapped.firstBad?.line], ['broken', other + 1]);
        }
        const where = { ...intentDraft.where, jobId: 'another job' };
        const foreign = ledgerOf(made.records.map((record) => ({ ...record, where })));
        const inserted = ledgerText(foreign).split('\n')[index] as string;
        const mixed = verifyLedger(fileOf(all.with(index, inserted)), { head: head(made) });
        assert.equal(mixed.state, 'broken');
      }
    }
  });

  it('detects a cut at every byte but between records, where only the head of the log shows it', function () {
    this.timeout(30_000);
    const bytes = Buffer.from(text);
    for (let end = 1; end < bytes.length; end += 1) {
      const part = bytes.subarray(0, end);
      const betweenRecords = part.at(-1) === 0x0a;
      assert.equal(verifyLedger(part).state, betweenRecords ? 'consistent' : 'broken', `cut after ${end} bytes`);
      assert.equal(verifyLedger(part, { head: head(ledger) }).state, 'broken', `cut after ${end} bytes, with head`);
    }
  });

  const reasons: [what: string, content: string | Uint8Array, line: number, reason: RegExp][] = [
    ['no line feed at the end', text.slice(0, -1), 3, /the file ends in it/],
    ['a blank line', fileOf(lines.toSpliced(1, 0, '')), 2, /blank/],
    ['a blank line at the end', `${text}\n`, 4, /blank/],
    ['CR LF', text.replaceAll('\n', '\r\n'), 1, /CR LF/],
    ['a byte order mark', `\ufeff${text}`, 1, /byte order mark/],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(text)]), 1, /not UTF-8/],
    ['something else than JSON', `hello\n${text}`, 1, /not JSON/],
    ['JSON that is no object', '[]\n', 1, /not a JSON object/],
    ['an object without a hash', '{"v":1}\n', 1, /does not end with its hash/],
    ['blanks in a line', `${lines[0]?.replace(',"hash"', ', "hash"')}\n`, 1, /does not end with its hash/],
    ['a hash in capitals', `${lines[0]?.slice(0, -66)}${lines[0]?.slice(-66).toUpperCase()}\n`, 1, /end with its hash/],
    ['another version', fileOf([resealed(lines[0] as string, (body) => body.replace('"v":1', '"v":2'))]), 1, /version/],
    ['an edit', text.replace('logs/2026', 'logs/2025'), 1, /content does not match/],
    [
      'an edit of the first record with a new hash',
      fileOf(
        lines.with(
          0,
          resealed(lines[0] as string, (body) => body.replace('logs/2026', 'logs/2025')),
        ),
      ),
      2,
      /prev differs/,
    ],
    [
      'a wrong seed',
      fileOf([resealed(lines[0] as string, (body) => body.replace(/"prev":"./, '"prev":"x'))]),
      1,
      /not their seed/,
    ],
    [
      'other ids under the same seed',
      fileOf([resealed(lines[0] as string, (body) => body.replace('"contoso"', '"fabrikam"'))]),
      1,
      /not their seed/,
    ],
    [
      'ids that are missing',
      fileOf([resealed(lines[0] as string, (body) => body.replace('"organisation":"contoso",', ''))]),
      1,
      /lacks one of/,
    ],
    [
      'foreign ids in a later record',
      fileOf(
        lines.with(
          1,
          resealed(lines[1] as string, (body) => body.replace('"contoso"', '"fabrikam"')),
        ),
      ),
      2,
      /organisation differs/,
    ],
    ['a removed first record', fileOf(lines.slice(1)), 1, /number 1 was expected here/],
    ['a removed record', fileOf(lines.toSpliced(1, 1)), 2, /number 2 was expected here/],
    [
      'a record without number',
      fileOf([resealed(lines[0] as string, (body) => body.replace('"seq":1,', ''))]),
      1,
      /number/,
    ],
  ];
  for (const [what, content, line, reason] of reasons) {
    it(`names the line and the reason: ${what}`, () => {
      const found = verifyLedger(content);
      assert.equal(found.state, 'broken');
      assert.equal(found.firstBad?.line, line);
      assert.match(found.firstBad?.reason ?? '', reason);
      assert.equal(found.count, line - 1);
      const before = Buffer.from(content).toString().split('\n')[line - 2];
      assert.equal(found.head, before?.slice(-66, -2) ?? '');
    });
  }

  it('compares with the head of the log, both ways', () => {
    const cut = verifyLedger(fileOf(lines.slice(0, 2)), { head: head(ledger) });
    assert.deepEqual([cut.state, cut.firstBad?.line], ['broken', 3]);
    assert.match(cut.firstBad?.reason ?? '', /missing at its end/);
    const longer = verifyLedger(text, { head: ledger.records[1]?.hash });
    assert.deepEqual([longer.state, longer.firstBad?.line], ['broken', 3]);
    assert.match(longer.firstBad?.reason ?? '', /added after/);
    assert.equal(verifyLedger('', { head: head(ledger) }).state, 'broken');
    assert.equal(verifyLedger('', { head: '' }).state, 'empty');
    assert.equal(verifyLedger(text, { head: '' }).state, 'broken');
  });

  it('names number and id of a bad record that can still be read', () => {
    const { firstBad } = verifyLedger(text.replace('"event":"issued"', '"event":"intent"'));
    assert.deepEqual([firstBad?.line, firstBad?.seq, firstBad?.recordId], [2, 2, issuedDraft.recordId]);
  });

  it('never throws on noise', () => {
    const random = randomOf(3);
    for (let run = 0; run < 300; run += 1) {
      const noise = Uint8Array.from({ length: Math.floor(random() * 200) }, () => random() * 256);
      assert.notEqual(verifyLedger(noise).state, 'consistent');
    }
    assert.equal(verifyLedger(`${'['.repeat(200_000)}\n`).state, 'broken');
    assert.equal(verifyLedger('\ud800\n').state, 'broken');
  });
});
