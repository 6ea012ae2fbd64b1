import assert from 'node:assert/strict';
import { SecretMasker } from '../../agent/secret-masker.ts';

function maskerOf(...values: string[]): SecretMasker {
  const masker = new SecretMasker();
  for (const value of values) {
    masker.addValue(value);
  }
  return masker;
}

describe('secret masker', () => {
  const escapes: [value: string, text: string][] = [
    ['Mask\\This', 'before Mask\\This after'],
    ['Mask\\This', 'before Mask\\\\This after'],
    ['Mask This', 'before Mask%20This after'],
    ['Mask\\tThis', 'before Mask\tThis after'],
    ['Mask\\tThis', 'before Mask\\\\tThis after'],
    ['a\r\n\t\\"b', 'before a\\r\\n\\t\\\\\\"b after'],
    ["abc\\\\def\\'ghi", "before abc\\def'ghi after"],
    ["it's(1)*!", 'before it%27s%281%29%2A%21 after'],
  ];
  for (const [value, text] of escapes) {
    it(`hides ${JSON.stringify(value)} in ${JSON.stringify(text)}`, () => {
      assert.equal(maskerOf(value).mask(text), 'before *** after');
    });
  }

  const urls: [text: string, masked: string][] = [
    ['https://user:pass@example.com/path', 'https://user:***@example.com/path'],
    ["https://user:pass4';.!&*()=,$-+~@example.com", 'https://user:***@example.com'],
    ['//user:pass@example.com', '//user:***@example.com'],
    ['https://u%AZP25A3:p%20q@example.com', 'https://u%AZP25A3:***@example.com'],
    ['https://user@example.com:8080/path', 'https://user@example.com:8080/path'],
    ['https://example.com:443/~user/what?a=b@c', 'https://example.com:443/~user/what?a=b@c'],
  ];
  for (const [text, masked] of urls) {
    it(`turns ${text} into ${masked}`, () => {
      assert.equal(maskerOf().mask(text), masked);
    });
  }

  it('merges overlapping and adjacent hits into one', () => {
    assert.equal(maskerOf('abcd', 'cdef', 'gh').mask('-abcdefgh-gh-'), '-***-***-');
  });

  it('hides values of any length, and a value inside another', () => {
    assert.equal(maskerOf('x').mask('axa'), 'a***a');
    assert.equal(maskerOf('aa').mask('aaab'), '***b');
  });

  it('knows no base64 of a registered value, but that of a job secret', () => {
    const base64 = Buffer.from('hunter2-hunter2').toString('base64');
    assert.equal(maskerOf('hunter2-hunter2').mask(base64), base64);
    const masker = new SecretMasker();
    masker.addJobSecret('hunter2-hunter2');
    assert.equal(masker.mask(base64), '***');
  });

  it('knows a job secret trimmed, unquoted and escaped for debug lines, but no single line of it', () => {
    const masker = new SecretMasker();
    masker.addJobSecret('"quoted one"');
    masker.addJobSecret(' spaced one \n');
    masker.addJobSecret('100%\nsecond');
    assert.equal(masker.mask('quoted one|spaced one|100%AZP25%0Asecond|100%%0Asecond'), '***|***|***|***');
    assert.equal(masker.mask('second'), 'second');
  });
});
