import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireDebian } from '../../requires.ts';
import { type Lab, startLab } from '../../servers/lab.ts';
import { type ClientAnswer, labRequest } from '../../servers/proxy-client.ts';
import type { RegistryAccess } from '../../servers/registry-access.ts';
import { readClaims } from '../../servers/signing-key.ts';
import {
  assertionFor,
  clientId,
  entraToken,
  exchangeForm,
  federatedConnection,
  tenantId,
  tokenEndpoint,
} from './lab-fixture.ts';

const host = 'contoso.azurecr.io';
const audience = 'https://containerregistry.azure.net';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

describe('the registry', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab.stop());
  afterEach(() => {
    lab.registry.grantOverride = undefined;
    lab.registry.roles.clear();
    lab.clock.offsetSeconds = 0;
  });

  const exchange = (token: string, changes: Record<string, string> = {}): Promise<ClientAnswer> =>
    labRequest(lab, `https://${host}/oauth2/exchange`, {
      body: new URLSearchParams({
        grant_type: 'access_token',
        service: host,
        tenant: tenantId,
        access_token: token,
        ...changes,
      }),
    });
  const refreshToken = async (): Promise<string> =>
    (await exchange(await entraToken(lab, audience))).json<{ refresh_token: string }>().refresh_token;
  const accessAnswer = (refresh: string, scopes: readonly string[]): Promise<ClientAnswer> => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', service: host, refresh_token: refresh });
    for (const scope of scopes) body.append('scope', scope);
    return labRequest(lab, `https://${host}/oauth2/token`, { body });
  };
  const accessToken = async (...scopes: readonly string[]): Promise<string> =>
    (await accessAnswer(await refreshToken(), scopes)).json<{ access_token: string }>().access_token;
  const accessOf = (token: string): RegistryAccess[] => readClaims(token)?.['access'] as RegistryAccess[];

  describe('token service', () => {
    it('exchanges an Entra token for a refresh token of three hours', async () => {
      const token = await refreshToken();
      const claims = readClaims(token);
      assert.equal(claims?.['iss'], 'Azure Container Registry');
      assert.equal(claims?.['aud'], host);
      assert.ok(Math.abs(Number(claims?.['exp']) - Date.now() / 1000 - 3 * 3600) < 10);
      assert.ok(lab.issuedSecrets().some((secret) => secret.kind === 'registryRefreshToken' && secret.value === token));
    });

    it('refuses a token for another audience, a forged one, an expired one, another tenant and service', async () => {
      assert.equal((await exchange(await entraToken(lab, 'https://storage.azure.com'))).status, 401);
      const good = await entraToken(lab, audience);
      assert.equal((await exchange(`${good.slice(0, -6)}AAAAAA`)).status, 401);
      assert.equal((await exchange(good, { tenant: randomUUID() })).status, 401);
      assert.equal((await exchange(good, { service: 'fabrikam.azurecr.io' })).status, 400);
      lab.clock.offsetSeconds = 2 * 3600;
      const refused = await exchange(good);
      assert.equal(refused.status, 401);
      assert.equal(refused.json<{ errors: { code: string }[] }>().errors[0]?.code, 'UNAUTHORIZED');
    });

    it('refuses a principal without any role', async () => {
      lab.registry.roles.set(clientId, undefined);
      assert.equal((await exchange(await entraToken(lab, audience))).status, 401);
    });

    it('knows exchange as POST only', async () => {
      assert.equal((await labRequest(lab, `https://${host}/oauth2/exchange`)).status, 404);
    });

    it('grants what was asked for 75 minutes, several repositories in one token', async () => {
      const token = await accessToken('repository:team/app:pull,push', 'repository:team/secret:pull');
      assert.deepEqual(accessOf(token), [
        { type: 'repository', name: 'team/app', actions: ['pull', 'push'] },
        { type: 'repository', name: 'team/secret', actions: ['pull'] },
      ]);
      const claims = readClaims(token);
      assert.equal(Number(claims?.['exp']) - Number(claims?.['iat']), 75 * 60);
    });

    it('grants fewer actions, or none, without a word when the role lacks them', async () => {
      lab.registry.roles.set(clientId, new Map([['team/app', ['pull']]]));
      assert.deepEqual(accessOf(await accessToken('repository:team/app:pull,push')), [
        { type: 'repository', name: 'team/app', actions: ['pull'] },
      ]);
      assert.deepEqual(accessOf(await accessToken('repository:team/secret:pull')), []);
    });

    it('grants other than asked when told so', async () => {
      const wider = [{ type: 'repository', name: 'team/secret', actions: ['pull', 'push'] }];
      lab.registry.grantOverride = () => wider;
      assert.deepEqual(accessOf(await accessToken('repository:team/app:pull')), wider);
    });

    it('does not take an access token as refresh token', async () => {
      const token = await accessToken('repository:team/app:pull');
      assert.equal((await accessAnswer(token, ['repository:team/app:pull'])).status, 401);
    });
  });

  describe('behind the token service', () => {
    before(function () {
      requireDebian(this, 'docker-registry');
    });
    const manifest = (token: string, repository: string, method = 'GET'): Promise<ClientAnswer> =>
      labRequest(lab, `https://${host}/v2/${repository}/manifests/v1`, {
        method,
        headers: { Authorization: `Bearer ${token}`, Accept: manifestType },
      });

    it('challenges a client without token in the form of the service', async () => {
      const answer = await labRequest(lab, `https://${host}/v2/team/app/manifests/v1`);
      assert.equal(answer.status, 401);
      assert.equal(
        answer.headers['www-authenticate'],
        `Bearer realm="https://${host}/oauth2/token",service="${host}",scope="repository:team/app:pull"`,
      );
      assert.equal(answer.json<{ errors: { code: string }[] }>().errors[0]?.code, 'UNAUTHORIZED');
    });

    it('lets a pull token pull, and nothing else', async () => {
      const token = await accessToken('repository:team/app:pull');
      const answer = await manifest(token, 'team/app');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-type'], manifestType);
      const length = (await manifest(token, 'team/app', 'HEAD')).headers['content-length'];
      assert.equal(Number(length), answer.body.length);
      const headers = { Authorization: `Bearer ${token}` };
      const push = await labRequest(lab, `https://${host}/v2/team/app/blobs/uploads/`, { method: 'POST', headers });
      assert.equal(push.status, 401);
      assert.match(String(push.headers['www-authenticate']), /error="insufficient_scope"/);
      assert.equal((await manifest(token, 'team/secret')).status, 401);
      assert.equal((await manifest(token, 'team/app', 'DELETE')).status, 401);
      assert.equal((await labRequest(lab, `https://${host}/v2/_catalog`, { headers })).status, 401);
    });

    it('takes neither an edited token nor an Entra token', async () => {
      const token = await accessToken('repository:team/app:pull');
      const [head, , signature] = token.split('.');
      const claims = { ...readClaims(token), access: [{ type: 'repository', name: 'team/secret', actions: ['pull'] }] };
      const edited = [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
      assert.equal((await manifest(edited, 'team/secret')).status, 401);
      assert.equal((await manifest(await entraToken(lab, audience), 'team/app')).status, 401);
    });

    it('serves a clock that is ahead, until the token has run out by it', async () => {
      lab.clock.offsetSeconds = 20 * 60;
      const token = await accessToken('repository:team/app:pull');
      assert.equal((await manifest(token, 'team/app')).status, 200);
      assert.equal((await manifest(token, 'team/secret')).status, 401);
      lab.clock.offsetSeconds = 3 * 3600;
      assert.equal((await manifest(token, 'team/app')).status, 401);
    });

    describe('with skopeo and curl', () => {
      let folder: string;
      before(async function () {
        requireDebian(this, 'skopeo');
        requireDebian(this, 'curl');
        folder = await mkdtemp(join(tmpdir(), 'scoped-token-skopeo-'));
      });
      after(async () => {
        if (folder) await rm(folder, { recursive: true, force: true });
      });
      const run = (
        command: string,
        ...parts: readonly string[]
      ): Promise<{ readonly code: number; readonly output: string }> =>
        new Promise((resolve) => {
          const env = {
            PATH: process.env['PATH'] ?? '',
            HOME: folder,
            XDG_RUNTIME_DIR: folder,
            ...lab.clientEnvironment(),
          };
          execFile(command, parts, { env }, (error, stdout, stderr) => {
            resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
          });
        });
      const copy = (...parts: readonly string[]): ReturnType<typeof run> =>
        run('skopeo', '--insecure-policy', 'copy', ...parts);

      it('pull with a pull token works; push and another repository are refused', async () => {
        const token = await accessToken('repository:team/app:pull');
        const image = `oci:${join(folder, 'image')}:v1`;
        const pulled = await copy('--src-registry-token', token, `docker://${host}/team/app:v1`, image);
        assert.equal(pulled.code, 0, pulled.output);
        const index = JSON.parse(await readFile(join(folder, 'image/index.json'), 'utf8'));
        assert.equal(index.manifests.length, 1);
        const pushed = await copy('--dest-registry-token', token, image, `docker://${host}/team/app:v2`);
        assert.notEqual(pushed.code, 0);
        assert.match(pushed.output, /denied|unauthorized|authentication required/);
        const other = await copy('--src-registry-token', token, `docker://${host}/team/secret:v1`, `${image}x`);
        assert.notEqual(other.code, 0);
        assert.match(other.output, /denied|unauthorized|authentication required/);
      });

      it('push with a push token works', async () => {
        const token = await accessToken('repository:team/app:pull,push');
        const image = `oci:${join(folder, 'again')}:v1`;
        assert.equal((await copy('--src-registry-token', token, `docker://${host}/team/app:v1`, image)).code, 0);
        const pushed = await copy('--dest-registry-token', token, image, `docker://${host}/team/app:v2`);
        assert.equal(pushed.code, 0, pushed.output);
      });

      it('an access token as password with the zero user pulls what it allows', async () => {
        const token = await accessToken('repository:team/app:pull');
        const credentials = `00000000-0000-0000-0000-000000000000:${token}`;
        const inspect = (repository: string): ReturnType<typeof run> =>
          run('skopeo', 'inspect', '--creds', credentials, `docker://${host}/${repository}:v1`);
        const allowed = await inspect('team/app');
        assert.equal(allowed.code, 0, allowed.output);
        assert.notEqual((await inspect('team/secret')).code, 0);
      });

      it('curl reaches it by the environment alone', async () => {
        const answer = await run('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', `https://${host}/v2/`);
        assert.equal(answer.output, '401');
      });
    });
  });

  it('a second name has a registry of its own', async function () {
    requireDebian(this, 'docker-registry');
    const two = await startLab({ registryHosts: [host, 'fabrikam.azurecr.io'] });
    try {
      const answer = await labRequest(two, 'https://fabrikam.azurecr.io/v2/');
      assert.match(String(answer.headers['www-authenticate']), /service="fabrikam\.azurecr\.io"/);
    } finally {
      await two.stop();
    }
  });

  it('takes part in an exchange that is made by hand, end to end', async () => {
    const assertion = await assertionFor(lab, federatedConnection({ issuer: 'entra' }));
    const entra = await labRequest(lab, tokenEndpoint(), { body: exchangeForm(assertion, audience) });
    assert.equal((await exchange(entra.json<{ access_token: string }>().access_token)).status, 200);
  });
});
