import assert from 'node:assert/strict';
import { LeakSearch } from '../../agent/leak-search.ts';

describe('leak search', () => {
  const secret = 'p@ss/word+long enough';
  const search = new LeakSearch([{ kind: 'token', value: secret }]);
  const forms = (text: string) => search.find('here', text).map(({ form }) => form);

  it('finds the value as it is, URL-encoded and JSON-escaped', () => {
    assert.deepEqual(forms(`a ${secret} b`), ['raw']);
    assert.deepEqual(forms('p%40ss%2Fword%2Blong%20enough'), ['urlEncoded']);
    const quoted = new LeakSearch([{ kind: 'token', value: 'with"quote' }]);
    assert.deepEqual(
      quoted.find('here', '{"a":"with\\"quote"}').map(({ form }) => form),
      ['jsonEscaped'],
    );
  });

  for (const user of ['', 'x', 'ab', 'AzureDevOps', '00000000-0000-0000-0000-000000000000']) {
    it(`finds base64 of ${user}:secret and more`, () => {
      const bytes = Buffer.from(`${user}:${secret}!`);
      assert.deepEqual(forms(`Basic ${bytes.toString('base64')}`), ['base64']);
      assert.deepEqual(forms(bytes.toString('base64url')), ['base64']);
    });
  }

  it('finds the signature of a JWT, and of a shared access signature', () => {
    const signature = 'c2lnbmF0dXJlLW9mLXRoaXMtdG9rZW4';
    const jwt = new LeakSearch([{ kind: 'token', value: `aaaa.bbbb.${signature}` }]);
    assert.deepEqual(
      jwt.find('here', `only ${signature}`).map(({ form }) => form),
      ['part'],
    );
    const sas = new LeakSearch([{ kind: 'sas', value: 'sv=1&sig=AAAABBBBCCCCDDDDEEEE%2Bf%3D&se=2' }]);
    assert.deepEqual(
      sas.find('here', 'AAAABBBBCCCCDDDDEEEE+f=').map(({ form }) => form),
      ['part'],
    );
  });

  it('says what and where, never the secret; finds it in bytes too', () => {
    const leaks = search.find('log line 3', Buffer.from(secret));
    assert.deepEqual(leaks, [{ where: 'log line 3', kind: 'token', form: 'raw' }]);
  });

  it('finds nothing where nothing is, and does not look for very short values', () => {
    assert.deepEqual(forms('p@ss/word'), []);
    assert.deepEqual(new LeakSearch([{ kind: 'short', value: 'abcde' }]).find('here', 'abcde'), []);
  });
});
