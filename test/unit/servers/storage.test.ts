import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  BlobSASPermissions,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { readKey } from '../../servers/delegation-keys.ts';
import { type Lab, startLab } from '../../servers/lab.ts';
import { type ClientAnswer, type ClientRequest, labRequest } from '../../servers/proxy-client.ts';
import { SigningKey } from '../../servers/signing-key.ts';
import { askDelegationKey, clientId, entraToken, minutes, wholeSeconds } from './lab-fixture.ts';

const version = '2022-11-02';
const account = 'contosodata';
const root = `https://${account}.blob.core.windows.net`;

describe('storage', () => {
  let lab: Lab;
  let token: string;
  before(async () => {
    lab = await startLab({ registry: 'off' });
    token = await entraToken(lab, 'https://storage.azure.com');
  });
  after(() => lab.stop());
  afterEach(() => {
    lab.storage.roles.clear();
    lab.storage.keyTimes = undefined;
    lab.clock.offsetSeconds = 0;
  });

  const askKey = (start: Date, expiry: Date, bearer = token): Promise<ClientAnswer> =>
    askDelegationKey(lab, { root, bearer, start, expiry });
  const key = async (): Promise<UserDelegationKey> => readKey((await askKey(minutes(-5), minutes(30))).text());
  const containerSas = (
    delegationKey: UserDelegationKey,
    letters: string,
    changes: { readonly correlationId?: string; readonly expiresOn?: Date; readonly startsOn?: Date } = {},
  ): string =>
    generateBlobSASQueryParameters(
      {
        containerName: 'logs',
        permissions: ContainerSASPermissions.parse(letters),
        startsOn: minutes(-5),
        expiresOn: minutes(20),
        protocol: SASProtocol.Https,
        version,
        ...changes,
      },
      delegationKey,
      account,
    ).toString();
  const use = (path: string, sas: string, options: ClientRequest = {}): Promise<ClientAnswer> =>
    labRequest(lab, `${root}/${path}${path.includes('?') ? '&' : '?'}${sas}`, options);
  const upload: ClientRequest = {
    method: 'PUT',
    body: 'new',
    headers: { 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': version },
  };

  describe('delegation keys', () => {
    it('are given for a week at most, and told as secrets', async () => {
      const given = await key();
      assert.equal(given.signedService, 'b');
      assert.ok(lab.issuedSecrets().some((secret) => secret.kind === 'delegationKey' && secret.value === given.value));
      assert.equal((await askKey(minutes(0), minutes(8 * 24 * 60))).status, 400);
      assert.equal((await askKey(minutes(10), minutes(5))).status, 400);
    });

    it('are refused without the role, for another audience, a forged token and an expired one', async () => {
      lab.storage.roles.set(clientId, { delegator: false, data: 'read' });
      const refused = await askKey(minutes(0), minutes(10));
      assert.equal(refused.status, 403);
      assert.equal(refused.headers['x-ms-error-code'], 'AuthorizationPermissionMismatch');
      assert.match(refused.text(), /<Code>AuthorizationPermissionMismatch<\/Code>/);
      lab.storage.roles.clear();
      const graph = await entraToken(lab, 'https://graph.microsoft.com');
      assert.equal((await askKey(minutes(0), minutes(10), graph)).status, 401);
      const forged = await (await SigningKey.create()).sign({ aud: 'https://storage.azure.com', exp: 4e9 });
      assert.equal((await askKey(minutes(0), minutes(10), forged)).status, 401);
      lab.clock.offsetSeconds = 2 * 3600;
      assert.equal((await askKey(minutes(120), minutes(130))).status, 401);
    });

    it('can have other times than were asked', async () => {
      lab.storage.keyTimes = ({ startsOn }) => ({ startsOn, expiresOn: minutes(3) });
      const given = await key();
      assert.ok(given.signedExpiresOn.getTime() < minutes(4).getTime());
      assert.equal((await use('logs/app.json', containerSas(given, 'r', { expiresOn: minutes(2) }))).status, 200);
    });
  });

  for (const correlationId of [undefined, randomUUID()]) {
    describe(correlationId ? 'a SAS with a correlation id' : 'a SAS without correlation id', () => {
      let delegationKey: UserDelegationKey;
      const scid = correlationId ? { correlationId } : {};
      before(async () => {
        delegationKey = await key();
      });

      it('reads what it was made for', async () => {
        const sas = containerSas(delegationKey, 'rl', scid);
        assert.equal(new URLSearchParams(sas).has('scid'), correlationId !== undefined);
        const blob = await use('logs/2026/app.json', sas);
        assert.equal(blob.status, 200);
        assert.deepEqual(blob.json(), { level: 'info', year: 2026 });
        const list = await use('logs?restype=container&comp=list&prefix=2026%2F', sas);
        assert.equal(list.status, 200);
        assert.deepEqual(
          [...list.text().matchAll(/<Name>([^<]+)<\/Name>/g)].map((match) => match[1]),
          ['2026/app.json', '2026/other.json'],
        );
      });

      it('does nothing that its letters do not say', async () => {
        const sas = containerSas(delegationKey, 'r', scid);
        for (const [path, options] of [
          ['logs?restype=container&comp=list', {}],
          ['logs/new.json', upload],
          ['logs/app.json', { method: 'DELETE' }],
        ] as const) {
          const answer = await use(path, sas, options);
          assert.equal(answer.status, 403, path);
          assert.equal(answer.headers['x-ms-error-code'], 'AuthorizationPermissionMismatch');
        }
      });

      it('opens no other container, and for a blob no other blob', async () => {
        assert.equal((await use('other/secret.txt', containerSas(delegationKey, 'r', scid))).status, 403);
        const values = { containerName: 'logs', blobName: '2026/app.json', version, expiresOn: minutes(20), ...scid };
        const permissions = BlobSASPermissions.parse('r');
        const sas = generateBlobSASQueryParameters({ ...values, permissions }, delegationKey, account).toString();
        assert.equal((await use('logs/2026/app.json', sas)).status, 200);
        assert.equal((await use('logs/2026/other.json', sas)).status, 403);
        assert.equal((await use('logs?restype=container&comp=list', sas)).status, 403);
      });

      it('is refused when edited, expired, or not yet valid', async () => {
        const sas = containerSas(delegationKey, 'r', scid);
        assert.equal((await use('logs/new.json', sas.replace('sp=r', 'sp=rwdl'), upload)).status, 403);
        assert.equal((await use('logs/app.json', sas.replace(/sig=..../, 'sig=AAAA'))).status, 403);
        const later = encodeURIComponent(wholeSeconds(minutes(25)));
        assert.equal((await use('logs/app.json', sas.replace(/se=[^&]+/, `se=${later}`))).status, 403);
        const times = { startsOn: minutes(-20), expiresOn: minutes(-1) };
        assert.equal((await use('logs/app.json', containerSas(delegationKey, 'r', { ...scid, ...times }))).status, 403);
        const future = { startsOn: minutes(10) };
        assert.equal(
          (await use('logs/app.json', containerSas(delegationKey, 'r', { ...scid, ...future }))).status,
          403,
        );
      });

      it('must not outlive its key', async () => {
        const sas = containerSas(delegationKey, 'r', { ...scid, expiresOn: minutes(60) });
        const answer = await use('logs/app.json', sas);
        assert.equal(answer.status, 403);
        assert.equal(answer.headers['x-ms-error-code'], 'AuthenticationFailed');
      });

      it('gives no more than the owner of its key has when it is used', async () => {
        const sas = containerSas(delegationKey, 'rcw', scid);
        lab.storage.roles.set(clientId, { delegator: true, data: 'read' });
        assert.equal((await use('logs/app.json', sas)).status, 200);
        assert.equal((await use('logs/new.json', sas, upload)).status, 403);
        lab.storage.roles.clear();
        assert.equal((await use('logs/new.json', sas, upload)).status, 201);
      });

      it('tells that the account is flat', async () => {
        const answer = await use('logs?restype=account&comp=properties', containerSas(delegationKey, 'r', scid), {
          method: 'HEAD',
        });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['x-ms-is-hns-enabled'], 'false');
      });
    });
  }

  it('a correlation id that was added, changed or taken away breaks the signature', async () => {
    const delegationKey = await key();
    const id = randomUUID();
    const withId = containerSas(delegationKey, 'r', { correlationId: id });
    assert.equal((await use('logs/app.json', withId.replace(id, randomUUID()))).status, 403);
    assert.equal((await use('logs/app.json', withId.replace(/&scid=[^&]+/, ''))).status, 403);
    assert.equal((await use('logs/app.json', `${containerSas(delegationKey, 'r')}&scid=${id}`)).status, 403);
  });

  it('lives in the lab’s time', async () => {
    for (const offsetSeconds of [20 * 60, -20 * 60]) {
      lab.clock.offsetSeconds = offsetSeconds;
      const bearer = await entraToken(lab, 'https://storage.azure.com');
      const at = (count: number): Date => new Date(lab.clock.nowMilliseconds() + count * 60_000);
      const delegationKey = readKey((await askKey(at(-5), at(30), bearer)).text());
      const times = { startsOn: at(-5), expiresOn: at(10) };
      const sas = containerSas(delegationKey, 'r', { ...times, correlationId: randomUUID() });
      assert.equal((await use('logs/app.json', sas)).status, 200);
      assert.equal((await use('logs/app.json', containerSas(delegationKey, 'r', times))).status, 200);
      assert.equal((await use('other/secret.txt', sas)).status, 403);
      lab.clock.offsetSeconds = offsetSeconds + 15 * 60;
      assert.equal((await use('logs/app.json', sas)).status, 403);
    }
  });

  it('checks bearer tokens and roles that Azurite does not', async () => {
    const read = (bearer: string): Promise<ClientAnswer> =>
      labRequest(lab, `${root}/logs/app.json`, {
        headers: { Authorization: `Bearer ${bearer}`, 'x-ms-version': version },
      });
    assert.equal((await read(token)).status, 200);
    const forged = await (await SigningKey.create()).sign({ aud: 'https://storage.azure.com', exp: 4e9 });
    assert.equal((await read(forged)).status, 401);
    lab.storage.roles.set(clientId, { delegator: true, data: 'none' });
    assert.equal((await read(token)).status, 403);
  });

  it('answers nothing to a request without credentials', async () => {
    assert.equal((await labRequest(lab, `${root}/logs/app.json`)).status, 403);
  });
});
