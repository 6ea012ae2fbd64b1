import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ClientAssertionCredential } from '@azure/identity';
import { type Lab, startLab } from '../../servers/lab.ts';
import { type ClientAnswer, labRequest } from '../../servers/proxy-client.ts';
import { readClaims, SigningKey } from '../../servers/signing-key.ts';
import { assertionFor, clientId, exchangeForm, federatedConnection, tenantId, tokenEndpoint } from './lab-fixture.ts';

const storage = 'https://storage.azure.com';

describe('the Entra stand-in', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ registry: 'off' });
  });
  after(() => lab.stop());

  const exchange = (form: URLSearchParams, tenant = tenantId): Promise<ClientAnswer> =>
    labRequest(lab, tokenEndpoint(tenant), { body: form });
  const refusedWith = async (answer: Promise<ClientAnswer>, status: number, code: number): Promise<void> => {
    const { status: got, json } = await answer;
    const body = json<{ error_codes: number[]; error_description: string }>();
    assert.deepEqual(body.error_codes, [code]);
    assert.equal(got, status);
    assert.match(
      body.error_description,
      new RegExp(
        `^AADSTS${code}: .* Trace ID: [\\w-]{36} Correlation ID: [\\w-]{36} Timestamp: \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ$`,
      ),
    );
  };

  for (const issuer of ['azureDevOps', 'entra'] as const) {
    it(`exchanges an assertion of the ${issuer} issuer for a storage token of version 1`, async () => {
      const assertion = await assertionFor(lab, federatedConnection({ issuer }));
      const answer = await exchange(exchangeForm(assertion, storage));
      assert.equal(answer.status, 200);
      const body = answer.json<{ access_token: string; expires_in: number; token_type: string }>();
      const claims = readClaims(body.access_token);
      assert.equal(claims?.['iss'], `https://sts.windows.net/${tenantId}/`);
      assert.equal(claims?.['aud'], storage);
      assert.equal(claims?.['appid'], clientId);
      assert.equal(claims?.['tid'], tenantId);
      assert.equal(Number(claims?.['exp']) - Number(claims?.['iat']), body.expires_in);
      assert.ok(body.expires_in > 3500 && body.expires_in < 5400);
      assert.equal(claims?.['roles'], undefined);
    });
  }

  it('lets the same assertion be used again, as Entra does', async () => {
    const form = exchangeForm(await assertionFor(lab, federatedConnection()), storage);
    assert.equal((await exchange(form)).status, 200);
    assert.equal((await exchange(form)).status, 200);
  });

  it('gives Graph tokens the consented roles and the implicit directory role', async () => {
    const assertion = await assertionFor(lab, federatedConnection());
    lab.entra.directory.application(tenantId, clientId).roles.set('https://graph.microsoft.com', ['User.Read.All']);
    const answer = await exchange(exchangeForm(assertion, 'https://graph.microsoft.com'));
    const claims = readClaims(answer.json<{ access_token: string }>().access_token);
    assert.deepEqual(claims?.['roles'], ['User.Read.All']);
    assert.deepEqual(claims?.['wids'], ['0997a1d0-0d1d-4acb-b408-d5ca73121e90']);
  });

  it('echoes and records the client request id, and uses it as correlation id', async () => {
    const id = randomUUID();
    const answer = await labRequest(lab, tokenEndpoint('unknown'), {
      body: exchangeForm('x', storage),
      headers: { 'client-request-id': id },
    });
    assert.equal(answer.headers['client-request-id'], id);
    assert.equal(answer.json()['correlation_id'], id);
    assert.equal(lab.seenRequests().at(-1)?.headers['clientRequestId'], id);
  });

  describe('refuses', () => {
    it('an unknown tenant and an unknown application', async () => {
      const assertion = await assertionFor(lab, federatedConnection());
      await refusedWith(exchange(exchangeForm(assertion, storage), randomUUID()), 400, 90002);
      await refusedWith(exchange(exchangeForm(assertion, storage, { client_id: randomUUID() })), 400, 700016);
    });

    it('a form that lacks a field, another grant, and no assertion', async () => {
      const form = exchangeForm('x', storage);
      form.delete('scope');
      await refusedWith(exchange(form), 400, 900144);
      await refusedWith(exchange(exchangeForm('x', storage, { grant_type: 'password' })), 400, 70003);
      await refusedWith(exchange(exchangeForm('', storage)), 401, 7000218);
      await refusedWith(exchange(exchangeForm('not-a-token', storage)), 401, 50027);
    });

    it('scopes that name a permission, several, or a resource that is not there', async () => {
      const assertion = await assertionFor(lab, federatedConnection());
      const withScope = (scope: string): Promise<ClientAnswer> => exchange(exchangeForm(assertion, '', { scope }));
      await refusedWith(withScope('https://graph.microsoft.com/User.Read.All'), 400, 1002012);
      await refusedWith(withScope(`${storage}/.default https://vault.azure.net/.default`), 400, 70011);
      await refusedWith(withScope('https://nothing.example.com/.default'), 400, 500011);
    });

    it('issuer, subject, letter case of the subject and audience that no credential names', async () => {
      const connection = federatedConnection({ parameters: { tenantid: tenantId, serviceprincipalid: randomUUID() } });
      const assertion = await assertionFor(lab, connection);
      const application = lab.entra.directory.application(tenantId, connection.parameters['serviceprincipalid'] ?? '');
      const ask = (): Promise<ClientAnswer> =>
        exchange(exchangeForm(assertion, storage, { client_id: application.clientId }));
      assert.equal((await ask()).status, 200);
      const good = application.federatedCredentials.find((one) => one.subject.startsWith('sc://'));
      assert.ok(good);
      const original = { ...good };
      const cases = [
        [{ issuer: 'https://issuer.example.com' }, 700211],
        [{ subject: `${original.subject}x` }, 700213],
        [{ subject: original.subject.toUpperCase() }, 7002138],
        [{ audience: 'api://another' }, 700212],
      ] as const;
      for (const [change, code] of cases) {
        Object.assign(good, original, change);
        await refusedWith(ask(), 401, code);
      }
      application.federatedCredentials.length = 0;
      await refusedWith(ask(), 401, 70025);
    });

    it('an assertion that has run out, and one of a clock far ahead', async () => {
      const connection = federatedConnection();
      lab.azureDevOps.assertionLifetimeSeconds = -600;
      const old = await assertionFor(lab, connection);
      lab.azureDevOps.assertionLifetimeSeconds = 600;
      await refusedWith(exchange(exchangeForm(old, storage)), 401, 700024);
      const fresh = await assertionFor(lab, connection);
      lab.clock.offsetSeconds = -1200;
      try {
        await refusedWith(exchange(exchangeForm(fresh, storage)), 401, 700024);
      } finally {
        lab.clock.offsetSeconds = 0;
      }
    });

    it('a signature by another key', async () => {
      const claims = readClaims(await assertionFor(lab, federatedConnection()));
      const forged = await (await SigningKey.create()).sign({ ...claims });
      await refusedWith(exchange(exchangeForm(forged, storage)), 401, 700027);
    });
  });

  it('does not trust a connection by itself when told so', async () => {
    lab.entra.directory.autoTrust = false;
    try {
      const connection = federatedConnection({ parameters: { tenantid: tenantId, serviceprincipalid: randomUUID() } });
      const assertion = await assertionFor(lab, connection);
      const form = exchangeForm(assertion, storage, { client_id: connection.parameters['serviceprincipalid'] ?? '' });
      await refusedWith(exchange(form), 400, 700016);
    } finally {
      lab.entra.directory.autoTrust = true;
    }
  });

  it('serves the real client library, instance discovery included', async () => {
    const assertion = await assertionFor(lab, federatedConnection());
    const credential = new ClientAssertionCredential(tenantId, clientId, async () => assertion, {
      httpClient: {
        async sendRequest(request) {
          const answer = await labRequest(lab, request.url, {
            method: request.method,
            headers: request.headers.toJSON(),
            ...(typeof request.body === 'string' ? { body: request.body } : {}),
          });
          return { request, status: answer.status, headers: request.headers, bodyAsText: answer.text() };
        },
      },
    });
    const token = await credential.getToken(`${storage}/.default`);
    assert.equal(readClaims(token.token)?.['aud'], storage);
  });
});
