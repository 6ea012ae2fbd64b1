import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { readFederatedConnection } from '../../../src/identity/connection.ts';
import { Secret } from '../../../src/token/secret.ts';
import { failureOf } from '../io/outcome.ts';
import { type Call, federatedConnection } from '../steps/fake-pipeline.ts';
import { type Answer, FakeWorld, json, jwtOf } from '../steps/fake-world.ts';

// With an await at its top level the file is loaded as an ES module, and every module that it reaches stands once.
const { identitySourceOf } = await import('../../../src/identity/index.ts');

const tenant = '77777777-7777-4777-8777-777777777777';
const resource = 'https://storage.azure.com';
const assertionOf = (count: number) =>
  jwtOf({
    iss: 'https://vstoken.dev.azure.com/org',
    sub: 'sc://contoso/shop/deploy',
    aud: 'api://AzureADTokenExchange',
    n: count,
  });
const claims = { aud: resource, tid: tenant, oid: 'object-1', uti: 'uti-1' };
const entraToken = (more: object = {}) => jwtOf({ ...claims, ...more });
const issued = (token: string, more: object = {}, headers: Record<string, string> = {}) =>
  json({ token_type: 'Bearer', expires_in: 3600, access_token: token, ...more }, 200, headers);
const refusal = (code: number, status = 401) =>
  json({ error: 'invalid_client', error_codes: [code], error_description: `AADSTS${code}: no.` }, status);

/** Acquires a token; the OIDC route gives a new assertion every time, Entra answers in turn, the last answer stays. */
function acquire(answers: Answer[], oidc?: Answer) {
  const calls: Call[] = [];
  let exchanges = 0;
  let assertions = 0;
  const world = new FakeWorld(calls, ({ url }) => {
    if (new URL(url).hostname === 'dev.azure.com') {
      assertions += 1;
      return oidc ?? json({ oidcToken: assertionOf(assertions) });
    }
    exchanges += 1;
    return answers[Math.min(exchanges, answers.length) - 1] ?? {};
  });
  const connection = readFederatedConnection(federatedConnection());
  const address = {
    requestUri: 'https://dev.azure.com/contoso/oidctoken',
    accessToken: new Secret('job-access-token'),
    collectionHost: 'dev.azure.com',
  };
  const mask = (value: Secret) => void calls.push(['mask', value.reveal()]);
  const context = { io: world, mask, cloud: connection.cloud, authorityHost: connection.authorityHost };
  const source = identitySourceOf(connection, address, context);
  return { calls, world, source, result: source.acquire(resource, 'record-1') };
}

const toEntra = (world: FakeWorld) => world.requests.filter(({ url }) => url.includes('login.microsoftonline.com'));
const formOf = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body));

describe('workload identity federation', () => {
  it('exchanges the assertion for a token, with one request each', async () => {
    const token = entraToken();
    const { world, result } = acquire([issued(token, {}, { 'x-ms-request-id': 'r-1' })]);
    const credential = await result;
    assert.equal(credential.token.reveal(), token);
    assert.equal(credential.expiresOn.toISOString(), '2026-03-01T13:00:00.500Z');
    assert.deepEqual(credential.identity, {
      source: 'workloadIdentityFederation',
      tenantId: tenant,
      clientId: '88888888-8888-4888-8888-888888888888',
      objectId: 'object-1',
      uti: 'uti-1',
      assertionIssuer: 'https://vstoken.dev.azure.com/org',
      assertionSubject: 'sc://contoso/shop/deploy',
    });
    assert.deepEqual(credential.ids, { 'x-ms-request-id': 'r-1' });
    assert.equal(world.requests.length, 2);
    const [request] = toEntra(world);
    assert.equal(new URL(request?.url ?? '').pathname, `/${tenant}/oauth2/v2.0/token`);
    assert.deepEqual(request?.allowedHosts, ['login.microsoftonline.com']);
    assert.equal(request?.headers?.['client-request-id'], 'record-1');
    const form = formOf(request?.body);
    assert.equal(form['client_assertion'], assertionOf(1));
    assert.equal(form['client_id'], '88888888-8888-4888-8888-888888888888');
    assert.match(form['scope'] ?? '', /^https:\/\/storage\.azure\.com\/\.default/);
    assert.equal(form['grant_type'], 'client_credentials');
    assert.equal(form['client_assertion_type'], 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
  });

  it('masks the assertion before it is shown, and the token as soon as it is there', async () => {
    const token = entraToken();
    const { calls, result } = acquire([issued(token)]);
    await result;
    const names = calls.map(([name, value, url]) =>
      name === 'mask' ? `mask ${value === token ? 'token' : 'assertion'}` : `${name} ${new URL(url ?? '').hostname}`,
    );
    assert.deepEqual(names, [
      'request dev.azure.com',
      'mask assertion',
      'request login.microsoftonline.com',
      'mask token',
    ]);
  });

  it('asks once more with a fresh assertion where the first had lapsed, and not a third time', async () => {
    const again = acquire([refusal(700024), issued(entraToken())]);
    await again.result;
    const shown = toEntra(again.world).map(({ body }) => formOf(body)['client_assertion']);
    assert.deepEqual(shown, [assertionOf(1), assertionOf(2)]);
    const never = acquire([refusal(700024)]);
    await failureOf(never.result, 'ENTRA_ASSERTION_EXPIRED');
    assert.equal(toEntra(never.world).length, 2);
  });

  it('takes a fresh assertion for every exchange', async () => {
    const { source, world, result } = acquire([issued(entraToken())]);
    await result;
    await source.acquire(resource, 'record-2');
    const shown = toEntra(world).map(({ body }) => formOf(body)['client_assertion']);
    assert.deepEqual(shown, [assertionOf(1), assertionOf(2)]);
    assert.equal(toEntra(world)[1]?.headers?.['client-request-id'], 'record-2');
  });

  it('explains a refusal, and does not repeat it', async () => {
    const rows = [
      [700213, 'ENTRA_TRUST'],
      [90002, 'ENTRA_UNKNOWN_TENANT'],
      [700016, 'ENTRA_UNKNOWN_APPLICATION'],
      [500011, 'ENTRA_REFUSED'],
    ] as const;
    for (const [code, expected] of rows) {
      const { world, result } = acquire([refusal(code)]);
      const error = await failureOf(result, expected);
      assert.doesNotMatch(error.message, /eyJ|job-access-token/);
      assert.equal(toEntra(world).length, 1);
    }
  });

  it('lets the transport repeat what Entra may get over', async () => {
    const { world, result } = acquire([refusal(90033, 400)]);
    await failureOf(result, 'SERVER_UNAVAILABLE');
    const [request] = toEntra(world);
    const response = { status: 400, headers: {}, body: '{"error_codes":[90033]}', attempts: 1 };
    assert.equal(request?.alsoRetry?.(response), true);
    assert.equal(request?.alsoRetry?.({ ...response, body: '{"error_codes":[700213]}' }), false);
  });

  it('takes for a token nothing that is none', async () => {
    const answers: Answer[] = [
      { status: 200, body: '<html>captive portal</html>', headers: { 'content-type': 'text/html' } },
      { status: 200, body: '' },
      json({}),
      json({ token_type: 'Bearer', expires_in: 3600 }),
      { status: 302, headers: { location: 'https://evil.example/' } },
    ];
    for (const answer of answers) {
      const error = await failureOf(acquire([answer]).result, 'ENTRA_BAD_ANSWER');
      assert.doesNotMatch(error.message, /captive|evil/);
    }
  });

  it('follows no redirect', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of [
        'https://evil.example/token',
        'https://login.microsoftonline.com/other/oauth2/v2.0/token',
      ]) {
        const { world, result } = acquire([{ status, headers: { location } }]);
        await failureOf(result, 'ENTRA_BAD_ANSWER');
        const urls = world.requests.slice(1).map(({ url }) => url);
        assert.equal(urls.length, 1, `${status}: ${urls.join(' ')}`);
      }
    }
  });

  it('does nothing with a token for another audience', async () => {
    for (const aud of [
      'https://management.azure.com',
      'https://storage.azure.com.evil.example',
      'https://storage.azure.com//',
    ]) {
      const { result, calls } = acquire([issued(entraToken({ aud }))]);
      const error = await failureOf(result, 'ENTRA_BAD_ANSWER');
      assert.match(error.message, /another audience/);
      assert.equal(calls.filter(([name]) => name === 'mask').length, 2, 'it is masked all the same');
    }
    const { result } = acquire([issued(entraToken({ aud: 'https://storage.azure.com/' }))]);
    assert.ok(await result, 'a slash at the end is no other audience');
  });

  it('takes an opaque token, and says less of it', async () => {
    const { result } = acquire([issued('opaque-token')]);
    const { identity, token } = await result;
    assert.equal(token.reveal(), 'opaque-token');
    assert.equal(identity.tenantId, tenant);
    assert.ok(!('objectId' in identity) && !('uti' in identity));
  });

  it('fails as the network or the OIDC route fails, unchanged', async () => {
    const failure = new ScopedTokenError('PROXY_AUTHENTICATION', { happened: 'A.', next: 'B.' });
    assert.equal(await failureOf(acquire([failure]).result, 'PROXY_AUTHENTICATION'), failure);
    const { world, result } = acquire([issued(entraToken())], json({ message: 'no' }, 401));
    await failureOf(result, 'OIDC_REFUSED');
    assert.equal(toEntra(world).length, 0);
  });
});
