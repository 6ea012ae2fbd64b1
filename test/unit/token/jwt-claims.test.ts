import assert from 'node:assert/strict';
import { dateClaim, readClaims, textClaim } from '../../../src/token/jwt-claims.ts';

const part = (text: string) => Buffer.from(text, 'utf8').toString('base64url');
const jwt = (payload: string) => `${part('{"alg":"none"}')}.${part(payload)}.${part('signature')}`;

describe('claims of a JWT', () => {
  it('are read without a key', () => {
    assert.deepEqual(readClaims(jwt('{"iss":"Grüße","n":1}')), { iss: 'Grüße', n: 1 });
  });

  it('are read from a padded token too', () => {
    const padded = Buffer.from('{"iss":"a"}').toString('base64');
    assert.match(padded, /=$/);
    assert.deepEqual(readClaims(`a.${padded}.c`), { iss: 'a' });
  });

  it('are undefined for whatever is no JWT', () => {
    const notTokens = [
      '',
      '.',
      '..',
      'a.b',
      'a.b.c.d',
      'opaque',
      'a.!!.c',
      jwt(''),
      jwt('[]'),
      jwt('null'),
      jwt('1'),
      jwt('{'),
    ];
    for (const text of notTokens) assert.equal(readClaims(text), undefined, text);
    assert.equal(readClaims(`a.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.c`), undefined);
    assert.equal(readClaims('x'.repeat(1_000_000)), undefined);
  });

  it('are no way to a prototype', () => {
    const claims = readClaims(jwt('{"__proto__":{"iss":"evil"},"constructor":"x"}'));
    assert.equal(textClaim(claims, 'iss'), undefined);
    assert.equal(textClaim(claims, 'toString'), undefined);
    assert.equal(textClaim(claims, 'constructor'), 'x');
    assert.equal(({} as Record<string, unknown>)['iss'], undefined);
  });

  it('are text only where they are text', () => {
    const claims = readClaims(jwt('{"a":"x","b":"","c":1,"d":["x"],"e":null}'));
    assert.equal(textClaim(claims, 'a'), 'x');
    for (const name of ['b', 'c', 'd', 'e', 'f']) assert.equal(textClaim(claims, name), undefined, name);
    assert.equal(textClaim(undefined, 'a'), undefined);
  });

  it('are dates in seconds, fractions and the year 1970 included', () => {
    const claims = readClaims(jwt('{"exp":1767225600,"nbf":1.5,"zero":0,"text":"1767225600","none":null}'));
    assert.equal(dateClaim(claims, 'exp')?.toISOString(), '2026-01-01T00:00:00.000Z');
    assert.equal(dateClaim(claims, 'nbf')?.getTime(), 1500);
    assert.equal(dateClaim(claims, 'zero')?.getTime(), 0);
    for (const name of ['text', 'none', 'absent']) assert.equal(dateClaim(claims, name), undefined);
    assert.equal(dateClaim(undefined, 'exp'), undefined);
  });

  it('are no date where no date can hold the number', () => {
    assert.equal(dateClaim(readClaims(jwt('{"exp":1e300}')), 'exp'), undefined);
    assert.equal(dateClaim(readClaims(jwt('{"exp":8640000000001}')), 'exp'), undefined);
  });
});
