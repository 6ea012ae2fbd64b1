import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { base64Of, fingerprintOf, maskedForms, sha256Hex } from '../../../src/token/text-forms.ts';

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

describe('forms of a token', () => {
  const tokens = ['abc', 'sp=r&sig=a%2Bb/c==', 'Grüße "quoted" \\ / 🦊', 'x'.repeat(50_000), ''];

  it('hashes and encodes as node does', () => {
    for (const token of tokens) {
      assert.equal(sha256Hex(token), createHash('sha256').update(token, 'utf8').digest('hex'));
      assert.equal(fingerprintOf(token), sha256Hex(token).slice(0, 16));
      assert.equal(base64Of(token), base64(token));
    }
  });

  it('masks the value and each form in which tools write it', () => {
    for (const token of tokens) {
      const forms = maskedForms(token);
      const users = ['', 'x-access-token', 'AzureDevOps', '00000000-0000-0000-0000-000000000000'];
      const expected = [
        token,
        base64(token),
        Buffer.from(token, 'utf8').toString('base64url'),
        encodeURIComponent(token),
        JSON.stringify({ token }).slice(10, -2),
        ...users.map((user) => base64(`${user}:${token}`)),
      ];
      assert.deepEqual(new Set(forms), new Set(expected));
      assert.equal(new Set(forms).size, forms.length, 'no form stands twice');
    }
  });

  it('masks the value itself first', () => {
    assert.equal(maskedForms('sp=r&sig=x')[0], 'sp=r&sig=x');
  });
});
