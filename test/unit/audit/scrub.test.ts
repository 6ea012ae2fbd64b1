import assert from 'node:assert/strict';
import { ledgerText } from '../../../src/audit/ledger.ts';
import type { RecordDraft } from '../../../src/audit/record.ts';
import { longestText, scrubber } from '../../../src/audit/scrub.ts';
import { issuedDraft, ledgerOf, randomOf } from './sample-records.ts';

const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';

describe('scrubber', () => {
  const cases: [what: string, secrets: string[], before: string, after: string][] = [
    ['a secret, wherever it stands', ['hunter22'], 'hunter22 and xhunter22x', '[secret] and x[secret]x'],
    ['secrets from four characters on', ['abc', 'abcd'], 'abc abcd', 'abc [secret]'],
    ['an empty secret not at all', [''], 'text', 'text'],
    ['overlapping secrets without a rest', ['abcdef', 'defghi'], 'xabcdefghix', 'x[secret]x'],
    ['a secret inside of another', ['long-hidden-value', 'hidden'], 'a long-hidden-value', 'a [secret]'],
    ['a secret that overlaps itself', ['abab'], 'xababab', 'x[secret]'],
    ['two secrets side by side as one', ['first', 'second'], 'firstsecond', '[secret]'],
    ['a secret at the very start', ['first'], 'first x', '[secret] x'],
    ['signs of regular expressions literally', ['a.*b('], 'a.*b( axxb(', '[secret] axxb('],
    ['a token that nobody registered', [], `Bearer ${jwt}, twice: ${jwt}`, 'Bearer [secret], twice: [secret]'],
    ['a token glued to other text', [], `token_${jwt}`, 'token_[secret]'],
    ['a token without signature', [], 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.', '[secret]'],
    ['an encrypted token of five parts', [], 'eyJhbGciOiJub25lIn0.a.b.c.d', '[secret]'],
    ['no word with dots', [], 'Microsoft.Web/sites/read eyJust a.b.c', 'Microsoft.Web/sites/read eyJust a.b.c'],
    [
      'query values of an address',
      [],
      'https://contosologs.blob.core.windows.net/logs?sv=2022&sp=r&sig=a%2Bb see',
      'https://contosologs.blob.core.windows.net/logs?sv=[secret]&sp=[secret]&sig=[secret] see',
    ],
    ['a signature alone', [], 'sig=a+b/c=', 'sig=[secret]'],
    ['user information of an address', [], 'https://user:pw@proxy.example/x', 'https://[secret]@proxy.example/x'],
  ];
  for (const [what, secrets, before, after] of cases) {
    it(`takes out ${what}`, () => {
      assert.equal(scrubber(secrets)(before), after);
      assert.equal(scrubber(secrets)(after), after, 'doing it twice changes nothing');
    });
  }

  it('leaves no secret in a random text', () => {
    const random = randomOf(11);
    const letters = () =>
      Array.from({ length: 4 + Math.floor(random() * 4) }, () => 'abc'[Math.floor(random() * 3)]).join('');
    for (let run = 0; run < 500; run += 1) {
      const secrets = Array.from({ length: 1 + Math.floor(random() * 4) }, letters);
      const text = Array.from({ length: 12 }, letters).join('');
      const rest = scrubber(secrets)(text).split('[secret]');
      for (const secret of secrets)
        for (const piece of rest) assert.ok(!piece.includes(secret), `${secret} in ${text}`);
    }
  });

  it('cuts an endless text, says so, and is quick about it', () => {
    const result = scrubber([])('🦊'.repeat(100_000));
    assert.ok(result.length < longestText + 50);
    assert.match(result, /… \[\d+ more characters\]$/);
    assert.doesNotMatch(result, /\p{Cs}/u);
    const began = performance.now();
    for (const unit of ['eyJ', 'eyJ.', '//', '?a=', '&', 'sig=', 'http://a@']) scrubber(['aaaa'])(unit.repeat(100_000));
    assert.ok(performance.now() - began < 3000);
  });
});

describe('appendRecord scrubs', () => {
  /** Puts a text into every place of a draft where a foreign text may stand. */
  function filled(value: unknown, text: string): unknown {
    if (typeof value === 'string') return text;
    if (Array.isArray(value)) return [text, text];
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filled(entry, text)]));
  }
  /** The same, without the few fields of a closed form. */
  function draftOf(text: string): RecordDraft {
    const draft = filled(issuedDraft, text) as RecordDraft;
    const { event, time, outcome, token, issuer, what } = issuedDraft;
    return {
      ...draft,
      event,
      time,
      outcome: { ...draft.outcome, code: outcome.code },
      token: { fingerprint: text, uti: text, expiresOn: token?.expiresOn ?? '', issuedOn: token?.expiresOn ?? '' },
      issuer: { ids: { [text]: text }, date: issuer?.date ?? '' },
      what: { ...draft.what, enforcement: what.enforcement ?? 'none', proof: what.proof ?? 'assumed' },
    };
  }

  it('a secret in every field, the names of ids included', () => {
    const text = ledgerText(ledgerOf([draftOf('x hunter22 y')], ['hunter22']));
    assert.doesNotMatch(text, /hunter22/);
    assert.ok(text.split('x [secret] y').length > 30);
  });

  it('a token in every field', () => {
    assert.doesNotMatch(ledgerText(ledgerOf([draftOf(`x ${jwt} y`)])), /eyJ/);
  });

  it('nothing into the fields of a closed form: a draft with a secret there is refused', () => {
    const places: ((text: string) => object)[] = [
      (event) => ({ event }),
      (time) => ({ time }),
      (code) => ({ outcome: { code } }),
      (expiresOn) => ({ token: { fingerprint: 'x', expiresOn } }),
      (date) => ({ issuer: { date } }),
      (proof) => ({ what: { ...issuedDraft.what, proof } }),
    ];
    for (const place of places) {
      assert.throws(() => ledgerOf([{ ...issuedDraft, ...place('hunter22') } as RecordDraft], ['hunter22']));
    }
  });
});
