import assert from 'node:assert/strict';
import { head, joinParts, ledgerParts, ledgerText, verifyLedger } from '../../../src/audit/ledger.ts';
import { intentDraft, issuedDraft, ledgerOf, randomDraft, randomOf } from './sample-records.ts';

describe('ledgerParts', () => {
  const random = randomOf(5);
  const ledger = ledgerOf(Array.from({ length: 14 }, () => randomDraft(random)));
  const text = ledgerText(ledger);
  const size = (part: string) => Buffer.byteLength(part);

  it('splits at line ends into parts of at most so many bytes, and the parts are the ledger', () => {
    for (const maxBytes of [5_000, 9_999, size(text) - 1, size(text), size(text) + 1]) {
      const parts = ledgerParts(text, maxBytes);
      assert.equal(parts.join(''), text);
      assert.ok(
        parts.every((part) => part.endsWith('\n') && size(part) <= maxBytes),
        `parts of ${maxBytes}`,
      );
      assert.equal(parts.length === 1, maxBytes >= size(text));
    }
  });

  it('counts bytes, not characters', () => {
    const wide = ledgerText(
      ledgerOf([1, 2, 3, 4].map((n) => ({ ...intentDraft, recordId: `${n}`, purpose: '語'.repeat(1000) }))),
    );
    const parts = ledgerParts(wide, 8_200);
    assert.ok(parts.length > 1 && parts.every((part) => size(part) <= 8_200));
  });

  it('makes a part of its own of a line that is too long, and none of an empty ledger', () => {
    assert.equal(ledgerParts(text, 10).length, 14);
    assert.equal(ledgerParts(text, 10).join(''), text);
    assert.deepEqual(ledgerParts(''), []);
  });

  it('makes one part of an ordinary ledger', () => {
    const ordinary = ledgerText(ledgerOf([intentDraft, issuedDraft]));
    assert.deepEqual(ledgerParts(ordinary), [ordinary]);
  });

  it('joins parts in whatever order they come', () => {
    const parts = ledgerParts(text, 5_000);
    assert.ok(parts.length > 2);
    for (const order of [parts, parts.toReversed(), [...parts.slice(2), ...parts.slice(0, 2)]]) {
      assert.equal(Buffer.from(joinParts(order)).toString(), text);
      assert.equal(
        verifyLedger(joinParts(order.map((part) => Buffer.from(part))), { head: head(ledger) }).state,
        'consistent',
      );
    }
  });

  it('shows a missing part, a doubled part and a part that is none', () => {
    const parts = ledgerParts(text, 5_000);
    for (const bad of [parts.slice(1), parts.toSpliced(1, 1), [...parts, parts[1] as string], [...parts, 'noise']]) {
      assert.equal(verifyLedger(joinParts(bad), { head: head(ledger) }).state, 'broken');
    }
  });
});
