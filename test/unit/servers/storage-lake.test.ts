import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { UserDelegationKey } from '@azure/storage-blob';
import { DirectorySASPermissions, generateDataLakeSASQueryParameters } from '@azure/storage-file-datalake';
import { readKey } from '../../servers/delegation-keys.ts';
import { type Lab, startLab } from '../../servers/lab.ts';
import { type ClientAnswer, labRequest } from '../../servers/proxy-client.ts';
import { askDelegationKey, entraToken, minutes } from './lab-fixture.ts';

const version = '2022-11-02';
const root = 'https://contosodata.blob.core.windows.net';
const lakeRoot = 'https://contosolake.blob.core.windows.net';

describe('a storage account with a hierarchical namespace', () => {
  let lab: Lab;
  let token: string;
  before(async () => {
    lab = await startLab({ registry: 'off' });
    token = await entraToken(lab, 'https://storage.azure.com');
  });
  after(() => lab.stop());
  afterEach(() => {
    lab.clock.offsetSeconds = 0;
  });

  const key = async (root: string): Promise<UserDelegationKey> => {
    const times = { start: minutes(-5), expiry: minutes(30) };
    return readKey((await askDelegationKey(lab, { root, bearer: token, ...times })).text());
  };
  const directorySas = (
    delegationKey: UserDelegationKey,
    name: string,
    changes: { readonly correlationId?: string } = {},
  ): string =>
    generateDataLakeSASQueryParameters(
      {
        fileSystemName: 'logs',
        pathName: '2026/north',
        isDirectory: true,
        directoryDepth: 2,
        permissions: DirectorySASPermissions.parse('rl'),
        startsOn: minutes(-5),
        expiresOn: minutes(20),
        version,
        ...changes,
      },
      delegationKey,
      name,
    ).toString();
  const facts = (at: string, path: string, sas: string): Promise<ClientAnswer> =>
    labRequest(lab, `${at}/${path}?restype=account&comp=properties&${sas}`, { method: 'HEAD' });

  it('tells what it is to a directory’s SAS, at the directory and below', async () => {
    const delegationKey = await key(lakeRoot);
    for (const changes of [{}, { correlationId: randomUUID() }]) {
      const sas = directorySas(delegationKey, 'contosolake', changes);
      for (const path of ['logs/2026/north', 'logs/2026/north/a.json']) {
        const answer = await facts(lakeRoot, path, sas);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['x-ms-is-hns-enabled'], 'true');
      }
    }
  });

  it('does not tell it when the SAS has run out', async () => {
    const sas = directorySas(await key(lakeRoot), 'contosolake');
    lab.clock.offsetSeconds = 25 * 60;
    assert.equal((await facts(lakeRoot, 'logs/2026/north', sas)).status, 403);
  });

  it('refuses the SAS elsewhere, edited, and at another depth', async () => {
    const sas = directorySas(await key(lakeRoot), 'contosolake');
    assert.equal((await facts(lakeRoot, 'logs/2026/south', sas)).status, 403);
    assert.equal((await facts(lakeRoot, 'logs/2026', sas)).status, 403);
    assert.equal((await facts(lakeRoot, 'other/2026/north', sas)).status, 403);
    assert.equal((await facts(lakeRoot, 'logs/2026/north', sas.replace('sp=rl', 'sp=rwl'))).status, 403);
    assert.equal((await facts(lakeRoot, 'logs/2026/north', sas.replace('sdd=2', 'sdd=1'))).status, 403);
  });

  it('a flat account takes no directory’s SAS', async () => {
    const sas = directorySas(await key(root), 'contosodata');
    assert.equal((await facts(root, 'logs/2026/north', sas)).status, 403);
    assert.equal((await labRequest(lab, `${root}/logs/2026/north/a.json?${sas}`)).status, 403);
  });

  it('serves no data here, and says so', async () => {
    const sas = directorySas(await key(lakeRoot), 'contosolake');
    const answer = await labRequest(lab, `${lakeRoot}/logs/2026/north/a.json?${sas}`);
    assert.equal(answer.status, 409);
    assert.equal(answer.headers['x-ms-error-code'], 'FeatureNotSupported');
  });
});
