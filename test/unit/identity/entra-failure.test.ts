import assert from 'node:assert/strict';
import { type EntraAttempt, entraCodes, entraFailure, isPassing } from '../../../src/identity/entra-failure.ts';
import type { HttpResponse } from '../../../src/io/http.ts';
import { Secret } from '../../../src/token/secret.ts';

const attempt: EntraAttempt = {
  tenantId: 'tenant-1',
  clientId: 'client-1',
  resource: 'https://storage.azure.com',
  assertion: {
    token: new Secret('eyJ-assertion'),
    issuer: 'https://vstoken.dev.azure.com/org',
    subject: 'sc://contoso/shop/deploy',
    audience: 'api://AzureADTokenExchange',
  },
  expectedAudience: 'api://AzureADTokenExchangeUSGov',
};

function response(body: unknown, status = 400, headers: Record<string, string> = {}): HttpResponse {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body), attempts: 4 };
}

const refused = (code: number, more: object = {}, status = 401) =>
  response(
    { error: 'invalid_client', error_codes: [code], error_description: `AADSTS${code}: said Entra.`, ...more },
    status,
  );

describe('what Entra answered', () => {
  it('has its codes in a list or in its text', () => {
    assert.deepEqual(entraCodes(refused(700213)), [700213]);
    assert.deepEqual(entraCodes(response({ error_codes: [1, 'x', null, 2] })), [1, 2]);
    assert.deepEqual(entraCodes(response({ error_description: 'AADSTS50196: loop, AADSTS1: other' })), [50196]);
    for (const body of [
      '',
      '<html>AADSTS90002</html>',
      '[]',
      {},
      { error_description: 7 },
      { error_codes: 'AADSTS1' },
    ]) {
      assert.deepEqual(entraCodes(response(body)), []);
    }
  });

  it('may pass where its own keys, load or outage are the reason', () => {
    for (const code of [50166, 90061, 90024, 50033, 90033, 90012, 90055]) {
      assert.ok(isPassing(refused(code)));
      const error = entraFailure(refused(code), attempt);
      assert.equal(error.code, 'SERVER_UNAVAILABLE');
      assert.match(error.message, new RegExp(`AADSTS${code}\\) after 4 tries`));
    }
    assert.ok(!isPassing(refused(700213)));
    assert.ok(!isPassing(refused(90033, {}, 200)), 'an answer that is a token is no error');
    assert.ok(!isPassing(response('<html>')));
  });

  it('is about trust: what was presented is shown, exactly, beside what was expected', () => {
    for (const code of [70021, 700211, 700212, 700213, 7002131, 7002137, 7002138, 70025, 700027]) {
      const error = entraFailure(refused(code), attempt);
      assert.equal(error.code, 'ENTRA_TRUST', String(code));
      assert.ok(error.message.includes('presented issuer:   "https://vstoken.dev.azure.com/org"'));
      assert.ok(error.message.includes('presented subject:  "sc://contoso/shop/deploy"'));
      assert.ok(error.message.includes('"api://AzureADTokenExchange" (expected "api://AzureADTokenExchangeUSGov")'));
      assert.ok(error.message.includes(Buffer.from('sc://contoso/shop/deploy').toString('base64')));
      assert.doesNotMatch(error.message, /eyJ/);
      assert.equal(error.text.provider?.code, `AADSTS${code}`);
    }
  });

  it('names tenant, application, resource and expiry', () => {
    const rows = [
      [700024, 'ENTRA_ASSERTION_EXPIRED', /outside its time of validity/],
      [90002, 'ENTRA_UNKNOWN_TENANT', /no tenant tenant-1/],
      [700016, 'ENTRA_UNKNOWN_APPLICATION', /client-1 does not exist in tenant tenant-1/],
      [500011, 'ENTRA_REFUSED', /no resource https:\/\/storage\.azure\.com/],
      [700238, 'ENTRA_REFUSED', /does not allow federation with this issuer[\s\S]*presented issuer/],
      [700223, 'ENTRA_REFUSED', /does not allow workload identity federation/],
      [7000112, 'ENTRA_REFUSED', /client-1 is disabled/],
      [53003, 'ENTRA_REFUSED', /Conditional Access/],
      [900382, 'ENTRA_REFUSED', /another cloud/],
    ] as const;
    for (const [code, expected, text] of rows) {
      const error = entraFailure(refused(code), attempt);
      assert.equal(error.code, expected);
      assert.match(error.message, text);
      assert.doesNotMatch(error.message, /eyJ|undefined/);
    }
  });

  it('is passed on with its own sentence where the code is not known', () => {
    const description = 'AADSTS1234567: Something new.\r\nTrace ID: t-1\r\nCorrelation ID: c-1';
    const error = entraFailure(refused(1234567, { error_description: description }), attempt);
    assert.equal(error.code, 'ENTRA_REFUSED');
    assert.match(
      error.message,
      /Why: AADSTS1234567: Something new\.\nNext: Look the code up: https:\/\/login\.microsoftonline\.com\/error\?code=1234567/,
    );
    const markup = entraFailure(refused(1234567, { error_description: '<script>' }), attempt);
    assert.doesNotMatch(markup.message, /script|Why/);
    assert.equal(entraFailure(response({ error_codes: [-1] }), attempt).code, 'ENTRA_REFUSED');
  });

  it('carries the ids that support asks for, and only such as look like ids', () => {
    const ids = { trace_id: 'trace-1', correlation_id: '##vso[x]', timestamp: '2026-03-01 12:00:00Z', other: 'x' };
    const { message } = entraFailure(
      response({ error_codes: [90002], ...ids }, 400, { 'x-ms-request-id': 'r-1' }),
      attempt,
    );
    assert.match(
      message,
      /For support: AADSTS90002, x-ms-request-id r-1, trace_id trace-1, timestamp 2026-03-01 12:00:00Z$/,
    );
  });

  it('is an outage where the status says so and the code is not known', () => {
    assert.equal(entraFailure(refused(1234567, {}, 503), attempt).code, 'SERVER_UNAVAILABLE');
    assert.equal(entraFailure(refused(1234567, {}, 429), attempt).code, 'THROTTLED');
    assert.equal(entraFailure(refused(700213, {}, 503), attempt).code, 'ENTRA_TRUST');
  });

  it('is an outage, or not understood, where it has no code', () => {
    assert.equal(entraFailure(response('', 429), attempt).code, 'THROTTLED');
    assert.equal(entraFailure(response('<html>', 502), attempt).code, 'SERVER_UNAVAILABLE');
    for (const [body, status] of [
      ['<html>login</html>', 200],
      ['', 400],
      ['{}', 403],
      ['', 302],
    ] as const) {
      const error = entraFailure(response(body, status), attempt);
      assert.equal(error.code, 'ENTRA_BAD_ANSWER');
      assert.doesNotMatch(error.message, /<html|login/);
    }
  });
});
