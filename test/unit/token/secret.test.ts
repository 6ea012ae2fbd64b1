import assert from 'node:assert/strict';
import { format, inspect } from 'node:util';
import { Secret } from '../../../src/token/secret.ts';

describe('a secret', () => {
  const value = 'eyJ-very-secret';
  const secret = new Secret(value);

  it('is told by reveal() alone', () => {
    assert.equal(secret.reveal(), value);
  });

  it('prints as [secret] wherever it is printed', () => {
    const holder = { secret, list: [secret], map: new Map([['a', secret]]) };
    const texts = [
      `${secret}`,
      String(secret),
      JSON.stringify(holder),
      inspect(holder, { depth: 9, showHidden: true }),
      inspect(secret, { customInspect: false, showHidden: true }),
      format('%s %o %O %j', secret, secret, secret, secret),
      [secret].join(),
      Object.entries(secret).join(),
      JSON.stringify({ ...secret }),
      JSON.stringify(structuredClone({ ...secret })),
      new Error(`x ${secret}`).stack ?? '',
    ];
    for (const text of texts) assert.ok(!text.includes(value), text);
    assert.equal(texts[0], '[secret]');
    assert.match(texts[2] ?? '', /\{"secret":"\[secret\]","list":\["\[secret\]"\]/);
    assert.match(texts[3] ?? '', /\[secret\]/);
  });
});
