import assert from 'node:assert/strict';
import fc from 'fast-check';
import { printable, printableLines } from '../../../src/pipeline/printable.ts';

const isCommand = /##(vso)?\[/i;

describe('foreign text', () => {
  it('holds no command and no formatting tag', () => {
    const rows: [string, string][] = [
      ['##vso[task.complete result=Succeeded]x', '# # vso[task.complete result=Succeeded]x'],
      ['a ##VSO[x]', 'a # # VSO[x]'],
      ['###vso[x]', '## # vso[x]'],
      ['##[error]no', '# # [error]no'],
      ['#\u200b#vso[x]', '# # vso[x]'],
      ['##\u00advso[x]', '# # vso[x]'],
      ['##v\u0000so[x]', '# # vso[x]'],
      ['## heading, vso[x]', '## heading, vso[x]'],
    ];
    for (const [text, expected] of rows) assert.equal(printable(text), expected);
    for (const [text] of rows) assert.doesNotMatch(printable(text), isCommand);
  });

  it('is one line, without characters that reorder or hide', () => {
    assert.equal(printable('a\r\n\nb\u2028c\u2029d'), 'a b c d');
    assert.equal(printable('a\tb\u0007c\u001b[31md\u202ee\u2066f\ufeffg\u0085h'), 'abc[31mdefgh');
    assert.equal(printable('Grüße 日本 🦊'), 'Grüße 日本 🦊');
  });

  it('of several lines keeps them, whichever line end it has', () => {
    assert.deepEqual(printableLines('a\nb\r\nc\rd\n'), ['a', 'b', 'c', 'd', '']);
    assert.deepEqual(printableLines('x\n##vso[y]'), ['x', '# # vso[y]']);
    assert.deepEqual(printableLines(''), ['']);
  });

  it('is harmless whatever it is made of, and stays as it is when made harmless twice', () => {
    const pieces = [
      '#',
      '##',
      'vso[',
      'VSO[',
      '[',
      ' ',
      '\u200b',
      '\u00ad',
      '\r',
      '\n',
      '\u2028',
      '\ud83e',
      '\u0000',
      'x',
      '\ufe0f',
    ];
    const text = fc.oneof(
      fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join('')),
      fc.string({ unit: 'binary-ascii' }),
    );
    fc.assert(
      fc.property(text, (foreign) => {
        const once = printable(foreign);
        assert.doesNotMatch(once, isCommand);
        assert.doesNotMatch(once, /[\r\n\u2028\u2029\p{Cc}\p{Cf}]/u);
        assert.equal(printable(once), once);
      }),
      { numRuns: 3_000 },
    );
  });

  it('may be long', () => {
    assert.ok(printable('##vso['.repeat(100_000)).length > 600_000);
    assert.equal(printable('#'.repeat(500_000)).length, 500_000);
  });
});
