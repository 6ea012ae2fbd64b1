import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type Lab, startLab } from '../../servers/lab.ts';
import { type ClientAnswer, type ClientRequest, labRequest } from '../../servers/proxy-client.ts';
import { readClaims } from '../../servers/signing-key.ts';
import { organisation } from '../../servers/subjects.ts';
import { askAssertion, federatedConnection, jobWith, tenantId } from './lab-fixture.ts';

describe('the Azure DevOps stand-in', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ registry: 'off' });
  });
  after(() => lab.stop());

  describe('OIDC route', () => {
    it('gives a ten-minute assertion by the names of a connection, from the older issuer', async () => {
      const connection = federatedConnection();
      const registered = lab.registerJob(jobWith([connection]));
      const answer = await askAssertion(lab, registered, connection.id);
      assert.equal(answer.status, 200);
      const claims = readClaims(answer.json<{ oidcToken: string }>().oidcToken);
      assert.equal(claims?.['iss'], `https://vstoken.dev.azure.com/${organisation.id}`);
      assert.equal(claims?.['sub'], `sc://contoso/Fabrikam/${connection.name}`);
      assert.equal(claims?.['aud'], 'api://AzureADTokenExchange');
      assert.equal(Number(claims?.['exp']) - Number(claims?.['iat']), 600);
    });

    it('gives an assertion by ids from the Entra issuer', async () => {
      const connection = federatedConnection({ issuer: 'entra' });
      const answer = await askAssertion(lab, lab.registerJob(jobWith([connection])), connection.id);
      const claims = readClaims(answer.json<{ oidcToken: string }>().oidcToken);
      assert.equal(claims?.['iss'], `https://login.microsoftonline.com/${tenantId}/v2.0`);
      assert.match(
        String(claims?.['sub']),
        new RegExp(`^/eid1/c/pub/t/[\\w-]{22}/a/[\\w-]{22}/sc/${organisation.id}/${connection.id}$`),
      );
    });

    it('speaks for the pipeline when no connection is named', async () => {
      const answer = await askAssertion(lab, lab.registerJob(jobWith([])), undefined);
      assert.match(
        String(readClaims(answer.json<{ oidcToken: string }>().oidcToken)?.['sub']),
        /^p:\/\/contoso\/Fabrikam\//,
      );
    });

    it('refuses a connection that the stage does not name', async () => {
      const connection = federatedConnection();
      const registered = lab.registerJob(jobWith([connection], { referencedConnections: [] }));
      const answer = await askAssertion(lab, registered, connection.id);
      assert.equal(answer.status, 400);
      const body = answer.json<{ count: number; value: string }>();
      assert.match(
        body.value,
        new RegExp(`no explicit reference to service connection ${connection.id} from current stage`),
      );
    });

    it('takes POST only', async () => {
      const registered = lab.registerJob(jobWith([]));
      const answer = await labRequest(lab, `${registered.oidcRequestUri}?api-version=7.1`, {
        headers: { Authorization: `Bearer ${registered.accessToken}` },
      });
      assert.equal(answer.status, 405);
      const body = answer.json<{ count: number; value: { Message: string } }>();
      assert.match(body.value.Message, /does not support http method 'GET'/);
    });

    it('wants an api-version', async () => {
      const registered = lab.registerJob(jobWith([]));
      const headers = { Authorization: `Bearer ${registered.accessToken}` };
      const answer = await labRequest(lab, registered.oidcRequestUri, { method: 'POST', headers });
      assert.equal(answer.status, 400);
      assert.equal(answer.json()['typeKey'], 'VssVersionNotSpecifiedException');
    });

    it('sends a stranger to the sign-in page, or says 401 when asked to', async () => {
      const registered = lab.registerJob(jobWith([]));
      const ask = (headers: Record<string, string>): Promise<ClientAnswer> =>
        labRequest(lab, `${registered.oidcRequestUri}?api-version=7.1`, { method: 'POST', headers });
      const redirected = await ask({ Authorization: 'Bearer nobody' });
      assert.equal(redirected.status, 302);
      assert.match(String(redirected.headers.location), /^https:\/\/spsprodweu1\.vssps\.visualstudio\.com\/_signin\?/);
      const refused = await ask({ Authorization: 'Bearer nobody', 'X-TFS-FedAuthRedirect': 'Suppress' });
      assert.equal(refused.status, 401);
      assert.match(String(refused.json()['message']), /^TF400813/);
    });

    it('does not know another job by this token', async () => {
      const mine = lab.registerJob(jobWith([]));
      const other = lab.registerJob(jobWith([]));
      const answer = await askAssertion(lab, { ...mine, oidcRequestUri: other.oidcRequestUri }, undefined);
      assert.equal(answer.status, 404);
    });

    it('is closed when the job has ended', async () => {
      const job = jobWith([]);
      const registered = lab.registerJob(job);
      lab.endJob(job.jobId);
      assert.equal((await askAssertion(lab, registered, undefined)).status, 401);
    });

    it('publishes the key of the older issuer', async () => {
      const root = `https://vstoken.dev.azure.com/${organisation.id}/.well-known`;
      const document = (await labRequest(lab, `${root}/openid-configuration`)).json<{ jwks_uri: string }>();
      const set = (await labRequest(lab, document.jwks_uri)).json<{ keys: { kty: string; d?: string }[] }>();
      assert.equal(set.keys[0]?.kty, 'RSA');
      assert.equal(set.keys[0]?.d, undefined);
    });
  });

  describe('attachments', () => {
    const job = jobWith([]);
    const recordId = randomUUID();
    let token: string;
    before(() => {
      token = lab.registerJob(job).accessToken;
    });

    const call = (path: string, options: ClientRequest & { readonly bearer?: string } = {}): Promise<ClientAnswer> =>
      labRequest(lab, `${lab.collectionUri}${job.projectId}/_apis/${path}`, {
        ...options,
        headers: {
          Authorization: `Bearer ${options.bearer ?? token}`,
          'X-TFS-FedAuthRedirect': 'Suppress',
          ...options.headers,
        },
      });
    const put = (
      name: string,
      changes: Partial<typeof job> = {},
      options: ClientRequest & { readonly bearer?: string } = {},
    ): Promise<ClientAnswer> => {
      const { hub, planId, timelineId } = { ...job, ...changes };
      const path = `distributedtask/hubs/${hub}/plans/${planId}/timelines/${timelineId}/records/${recordId}/attachments/scoped.ledger/${name}`;
      return call(`${path}?api-version=7.1-preview.1`, {
        method: 'PUT',
        body: 'one\ntwo\n',
        ...options,
        headers: { 'Content-Type': 'application/octet-stream', ...options.headers },
      });
    };

    it('are put, listed and read back octet for octet', async () => {
      const created = await put('a%20b.jsonl');
      assert.equal(created.status, 201);
      assert.equal(created.json()['name'], 'a b.jsonl');
      assert.equal((await put('a%20b.jsonl')).status, 200);
      lab.storeAttachment(job.planId, recordId, 'scoped.ledger', 'agent.jsonl', Buffer.from([0, 255, 10]));
      const list = (await call('build/builds/42/attachments/scoped.ledger')).json<{
        count: number;
        value: { name: string; _links: { self: { href: string } } }[];
      }>();
      assert.deepEqual(list.value.map((entry) => entry.name).sort(), ['a b.jsonl', 'agent.jsonl']);
      const contents = new Map<string, Buffer>();
      for (const entry of list.value) {
        const href = entry._links.self.href;
        assert.match(href, new RegExp(`/builds/42/${job.timelineId}/${recordId}/attachments/scoped\\.ledger/`));
        contents.set(entry.name, (await labRequest(lab, href, { headers: { Authorization: `Bearer ${token}` } })).body);
      }
      assert.deepEqual(contents.get('a b.jsonl'), Buffer.from('one\ntwo\n'));
      assert.deepEqual(contents.get('agent.jsonl'), Buffer.from([0, 255, 10]));
    });

    it('of another type are not listed', async () => {
      const list = (await call('build/builds/42/attachments/another.type')).json<{ count: number }>();
      assert.equal(list.count, 0);
    });

    it('are refused as JSON, without preview version, for another plan, timeline, build and project', async () => {
      assert.equal((await put('x', {}, { headers: { 'Content-Type': 'application/json' } })).status, 415);
      const path = `distributedtask/hubs/build/plans/${job.planId}/timelines/${job.timelineId}/records/${recordId}/attachments/t/x`;
      const octets = { method: 'PUT', body: 'x', headers: { 'Content-Type': 'application/octet-stream' } };
      assert.equal(
        (await call(`${path}?api-version=7.1`, octets)).json()['typeKey'],
        'VssInvalidPreviewVersionException',
      );
      assert.equal((await put('x', { planId: randomUUID() })).status, 404);
      assert.equal((await put('x', { timelineId: randomUUID() })).status, 404);
      assert.equal(
        (await call('build/builds/43/attachments/scoped.ledger')).json()['typeKey'],
        'BuildNotFoundException',
      );
      const elsewhere = await labRequest(lab, `${lab.collectionUri}Tailspin/_apis/build/builds/42/attachments/t`, {
        headers: { Authorization: `Bearer ${token}` },
      });
      assert.equal(elsewhere.status, 404);
    });

    it('are refused with another job’s token', async () => {
      const other = lab.registerJob(jobWith([]));
      assert.equal((await put('x', {}, { bearer: other.accessToken })).status, 404);
    });

    it('can be read for a while after the job, but not put; then the token is dead', async () => {
      const ended = jobWith([]);
      const { accessToken } = lab.registerJob(ended);
      lab.endJob(ended.jobId);
      const { planId, timelineId } = ended;
      assert.equal((await put('x', { planId, timelineId }, { bearer: accessToken })).status, 401);
      const list = (): Promise<ClientAnswer> => call('build/builds/42/attachments/t', { bearer: accessToken });
      assert.equal((await list()).status, 200);
      lab.clock.offsetSeconds = lab.azureDevOps.jobs.tokenGraceSeconds + 60;
      try {
        assert.equal((await list()).status, 401);
      } finally {
        lab.clock.offsetSeconds = 0;
      }
    });
  });

  it('answers an unknown route with a JSON 404', async () => {
    const { accessToken } = lab.registerJob(jobWith([]));
    const answer = await labRequest(lab, `${lab.collectionUri}Fabrikam/_apis/nothing/here`, {
      headers: { Authorization: `Bearer ${accessToken}` },
    });
    assert.equal(answer.status, 404);
    assert.match(String(answer.json()['message']), /was not found/);
  });

  it('tells job tokens and assertions as secrets, and keeps query values out of what it saw', async () => {
    const connection = federatedConnection();
    const registered = lab.registerJob(jobWith([connection]));
    const token = (await askAssertion(lab, registered, connection.id)).json<{ oidcToken: string }>().oidcToken;
    const values = new Map(lab.issuedSecrets().map((secret) => [secret.value, secret.kind]));
    assert.equal(values.get(registered.accessToken), 'jobToken');
    assert.equal(values.get(token), 'oidcToken');
    const seen = JSON.stringify(lab.seenRequests());
    assert.ok(!seen.includes(connection.id) && !seen.includes(registered.accessToken));
    assert.match(seen, /oidctoken\?api-version&serviceConnectionId/);
  });
});
