import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { readFederatedConnection } from '../../../src/identity/connection.ts';
import type { ConnectionFields } from '../../../src/pipeline/pipeline.ts';
import { Secret } from '../../../src/token/secret.ts';
import { connectionId, federatedConnection } from '../steps/fake-pipeline.ts';

const tenant = '77777777-7777-4777-8777-777777777777';
const client = '88888888-8888-4888-8888-888888888888';

function connection(parameters: Record<string, string>, data: Record<string, string> = {}): ConnectionFields {
  const secrets = Object.entries({ tenantid: tenant, serviceprincipalid: client, ...parameters });
  return federatedConnection({
    parameters: Object.fromEntries(secrets.map(([name, value]) => [name, new Secret(value)])),
    data,
  });
}

function messageOf(fields: ConnectionFields): string {
  try {
    readFederatedConnection(fields);
  } catch (error) {
    assert.ok(error instanceof ScopedTokenError);
    assert.equal(error.code, 'CONNECTION_UNUSABLE');
    return error.message;
  }
  return assert.fail('the connection was taken');
}

describe('an AzureRM connection', () => {
  it('gives tenant, client and cloud', () => {
    const read = readFederatedConnection(federatedConnection());
    assert.equal(read.id, connectionId);
    assert.equal(read.tenantId, tenant);
    assert.equal(read.clientId, client);
    assert.equal(read.cloud.name, 'AzureCloud');
    assert.equal(read.authorityHost, 'login.microsoftonline.com');
  });

  it('may have blanks around its fields, other case, and no environment', () => {
    const fields = connection({
      tenantid: ` ${tenant.toUpperCase()} `,
      serviceprincipalid: `\t${client.toUpperCase()}\n`,
    });
    const read = readFederatedConnection({ ...fields, scheme: ' WORKLOADIDENTITYFEDERATION ' });
    assert.deepEqual([read.tenantId, read.clientId, read.cloud.name], [tenant, client, 'AzureCloud']);
    assert.equal(
      readFederatedConnection(connection({ tenantid: 'Contoso.onmicrosoft.com' })).tenantId,
      'contoso.onmicrosoft.com',
    );
  });

  it('must be one with workload identity federation', () => {
    for (const scheme of ['ServicePrincipal', 'ManagedServiceIdentity', 'UsernamePassword']) {
      const message = messageOf(federatedConnection({ scheme }));
      assert.ok(message.includes(`uses the scheme "${scheme}"`));
      assert.match(message, /Convert/);
    }
    assert.match(messageOf(federatedConnection({ scheme: '  ' })), /names no authentication scheme/);
  });

  it('names everything that is wrong with it', () => {
    const message = messageOf(
      connection({ tenantid: '', serviceprincipalid: 'not-a-guid' }, { environment: 'AzureStack' }),
    );
    assert.match(
      message,
      /tenantid is missing; serviceprincipalid \(the client id\) is not a GUID; environment "AzureStack" is none of AzureCloud/,
    );
    assert.match(
      messageOf(federatedConnection({ parameters: {} })),
      /tenantid is missing; serviceprincipalid \(the client id\) is missing/,
    );
  });

  it('is for one tenant, named by id or domain, and nothing else goes into the address', () => {
    const tenants = [
      'common',
      'organizations',
      'consumers',
      `${tenant}/../${client}`,
      'contoso.com/x',
      'a b.com',
      'https://contoso.com',
      '..',
      'contoso..com',
      '-.com',
      `{${tenant}}`,
      'contoso.com\n',
      `${'a'.repeat(50_000)}!`,
    ];
    for (const tenantid of tenants) {
      if (tenantid.trim() === 'contoso.com') continue;
      assert.match(
        messageOf(connection({ tenantid })),
        /tenantid is neither a GUID nor a domain name/,
        tenantid.slice(0, 50),
      );
    }
    for (const serviceprincipalid of ['x', `${client}&scope=evil`, `{${client}}`, client.slice(1)]) {
      assert.match(messageOf(connection({ serviceprincipalid })), /client id\) is not a GUID/);
    }
  });

  it('may name an authority of its cloud', () => {
    const rows = [
      ['AzureCloud', 'https://login.microsoftonline.com/', 'login.microsoftonline.com'],
      ['AzureCloud', 'https://LOGIN.microsoftonline.com', 'login.microsoftonline.com'],
      ['azureusgovernment', 'https://login.microsoftonline.us/', 'login.microsoftonline.us'],
      ['AzureChinaCloud', 'https://login.partner.microsoftonline.cn/', 'login.partner.microsoftonline.cn'],
      ['AzureChinaCloud', '', 'login.chinacloudapi.cn'],
    ] as const;
    for (const [environment, authority, host] of rows) {
      for (const name of ['environmentauthorityurl', 'activedirectoryauthority']) {
        assert.equal(readFederatedConnection(connection({}, { environment, [name]: authority })).authorityHost, host);
      }
    }
  });

  it('may name no other authority', () => {
    const authorities = [
      'https://login.microsoftonline.us/',
      'https://evil.example/',
      'https://login.microsoftonline.com.evil.example/',
      'https://login.microsoftonline.com@evil.example/',
      'https://user:pass@login.microsoftonline.com/',
      'https://login.microsoftonline.com:8443/',
      'http://login.microsoftonline.com/',
      'https://login.microsoftonline.com./',
      'https://sts.login.microsoftonline.com/',
      'https://lоgin.microsoftonline.com/',
      'login.microsoftonline.com',
      'not a url',
    ];
    for (const environmentauthorityurl of authorities) {
      const message = messageOf(connection({}, { environment: 'AzureCloud', environmentauthorityurl }));
      assert.match(message, /is no Microsoft Entra host of AzureCloud/, environmentauthorityurl);
    }
  });

  it('shows none of its secrets', () => {
    const message = messageOf(
      connection({ tenantid: '', serviceprincipalkey: 'hunter2-hunter2', idtoken: 'eyJ-token' }),
    );
    assert.doesNotMatch(message, /hunter2|eyJ/);
  });
});
