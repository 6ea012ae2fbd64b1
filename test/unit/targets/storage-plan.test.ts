import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { storage } from '../../../src/targets/storage/index.ts';
import { cloudNamed } from '../../../src/token/cloud.ts';
import { azure, mistakesOf, planOf } from './narrowing.ts';
import { scopesOf } from './scopes-of.ts';

const account = 'https://contoso.blob.core.windows.net';

/** The text that `curl` reads when the pasted lines run in a shell with that signature. */
function curlConfiguration(usage: readonly string[], signature: string): string {
  const script = usage[usage.indexOf('- bash: |') + 1]?.trim() ?? '';
  const environment = { PATH: process.env['PATH'] ?? '', STORAGE_SAS: signature };
  const words = ['--noprofile', '--norc', '-c', `curl() { cat; }\n${script}`];
  return execFileSync('bash', words, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('the storage target', () => {
  it('takes the URL or host of an account, and writes it one way', () => {
    const spellings = [
      account,
      `${account}/`,
      'contoso.blob.core.windows.net',
      'HTTPS://Contoso.Blob.Core.Windows.Net/',
      'https://contoso.dfs.core.windows.net',
    ];
    for (const spelling of spellings) {
      const plan = planOf(storage, spelling, 'read,list on logs');
      assert.equal(plan.resource, account, spelling);
      assert.equal(plan.audience, 'https://storage.azure.com');
      assert.deepEqual(plan.asked, ['read,list on logs']);
    }
  });

  it('takes no host but an account of its cloud', () => {
    const others = [
      'https://contoso.blob.core.windows.net.evil.example',
      'https://evil.example/contoso.blob.core.windows.net',
      'https://a.contoso.blob.core.windows.net',
      'https://blob.core.windows.net',
      'https://.blob.core.windows.net',
      'http://contoso.blob.core.windows.net',
      'https://user:hunter2@contoso.blob.core.windows.net',
      'https://contoso.blob.core.windows.net@evil.example',
      'https://contoso.blob.core.windows.net:443',
      'https://contoso.blob.core.windows.net/logs',
      'https://contoso.blob.core.windows.net//',
      'https://contoso.blob.core.windows.net?x',
      'https://contoso.blob.core.windows.net#x',
      'https://contoso.blob.core.windows.net.',
      'https://contoso.queue.core.windows.net',
      'https://contoso.blob.core.usgovcloudapi.net',
      'https://con-toso.blob.core.windows.net',
      'https://co.blob.core.windows.net',
      'https://abcdefghijklmnopqrstuvwxy.blob.core.windows.net',
      'https://cöntoso.blob.core.windows.net',
      'https://contoso\u212A.blob.core.windows.net',
      'https://contoso.blob.core.windows.net\n',
      ' contoso.blob.core.windows.net',
      'contoso',
      '169.254.169.254',
    ];
    for (const resource of others) {
      const mistakes = mistakesOf(storage, resource, 'read on logs');
      assert.equal(mistakes.length, 1, resource);
      assert.match(
        mistakes[0] ?? '',
        /^resource: .* is not the URL of a storage account in AzureCloud; expected https:\/\/ACCOUNT/s,
      );
    }
  });

  it('knows the accounts of the other clouds', () => {
    const gov = cloudNamed('AzureUSGovernment') ?? azure;
    assert.deepEqual(mistakesOf(storage, 'https://contoso.blob.core.usgovcloudapi.net', 'read on logs', gov), []);
    assert.match(mistakesOf(storage, account, 'read on logs', gov)[0] ?? '', /in AzureUSGovernment/);
  });

  it('reports account, scopes and life together', () => {
    const plan = storage.plan({
      resource: 'x',
      scopes: scopesOf('pull on L\nread'),
      lifetimeSeconds: 604_801,
      cloud: azure,
    });
    assert.ok('mistakes' in plan);
    assert.deepEqual(
      plan.mistakes.map((mistake) => mistake.split(/[:,]/)[0]),
      ['resource', 'scopes', 'scopes', 'lifetimeMinutes'],
    );
    assert.ok(
      !(
        'mistakes' in
        storage.plan({ resource: account, scopes: scopesOf('read on logs'), lifetimeSeconds: 604_800, cloud: azure })
      ),
    );
  });

  it('prints lines to paste that map the secret and use it', () => {
    const usage = planOf(storage, account, 'read on logs/app.json').usage('MY_SAS');
    assert.equal(usage.at(-1), '    STORAGE_SAS: $(MY_SAS)');
    assert.equal(
      usage.filter((line) => line.includes('$(MY_SAS)')).length,
      1,
      'not in the script, where it would be in its text',
    );
    const sas = 'sv=2022-11-02&sp=r&sig=a%2Fb%3D';
    const rows = {
      'read on logs': 'logs/BLOB',
      'read on logs/2026/**': 'logs/2026/BLOB',
      'read on logs/2026/app.json': 'logs/2026/app.json',
    };
    for (const [scopes, path] of Object.entries(rows)) {
      const printed = curlConfiguration(planOf(storage, account, scopes).usage('X'), sas);
      assert.equal(printed, `url = "${account}/${path}?${sas}"\n`);
    }
  });

  it('prints lines to paste that reach a blob of any name', () => {
    for (const name of ['my file.json', 'ü.json', '100%.json', 'a?b#c.json', "it's.json", 'a"b.json']) {
      const usage = planOf(storage, account, `read on logs/${name}`).usage('X');
      const printed = curlConfiguration(usage, 'sig=x%2F');
      const url = /^url = "(.*)"\n$/.exec(printed)?.[1]?.replace(/\\(["\\])/g, '$1') ?? '';
      const { pathname, search, hash } = new URL(url);
      assert.deepEqual([decodeURIComponent(pathname), search, hash], [`/logs/${name}`, '?sig=x%2F', ''], name);
    }
  });
});
