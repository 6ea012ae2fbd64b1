import assert from 'node:assert/strict';
import { assertIssued, assertRefused, type ConnectionChanges, ownConnection, runWithConnection } from './bad-run.ts';
import { labForSuite, scenarioTimeoutMilliseconds } from './scenario.ts';

interface Row {
  readonly title: string;
  readonly changes: ConnectionChanges;
  readonly says: readonly (string | RegExp)[];
}

const schemes: readonly Row[] = [
  {
    title: 'another type, which the server let through',
    changes: {
      type: 'dockerregistry',
      scheme: 'UsernamePassword',
      parameters: { username: 'ci', password: 'Pa55-w0rd!' },
    },
    says: ['uses the scheme "UsernamePassword"; this version takes workload identity federation only'],
  },
  {
    title: 'a service principal with a secret',
    changes: { scheme: 'ServicePrincipal', parameters: { serviceprincipalkey: 'a-key-that-nobody-may-see' } },
    says: ['uses the scheme "ServicePrincipal"', 'Next: Open the service connection’s page and choose "Convert"'],
  },
  {
    title: 'a managed identity of the agent',
    changes: { scheme: 'ManagedServiceIdentity' },
    says: ['uses the scheme "ManagedServiceIdentity"'],
  },
  { title: 'no scheme', changes: { scheme: '' }, says: ['names no authentication scheme', 'choose "Convert"'] },
];

const correct = ['Its fields come from the service connection’s page', 'Next: Correct them there (Project settings'];

const fields: readonly Row[] = [
  { title: 'no tenant', changes: { parameters: { tenantid: undefined } }, says: ['tenantid is missing'] },
  {
    title: 'no client id',
    changes: { parameters: { serviceprincipalid: undefined } },
    says: ['serviceprincipalid (the client id) is missing'],
  },
  ...['common', 'organizations', 'consumers', '../72f988bf', 'contoso'].map((tenant) => ({
    title: `the tenant ${tenant}`,
    changes: { parameters: { tenantid: tenant } },
    says: ['tenantid is neither a GUID nor a domain name of one tenant'],
  })),
  {
    title: 'a client id that is no GUID',
    changes: { parameters: { serviceprincipalid: 'deploy-app' } },
    says: ['serviceprincipalid (the client id) is not a GUID'],
  },
  ...['AzureStack', 'AzureGermanCloud', 'Production'].map((environment) => ({
    title: `the environment ${environment}`,
    changes: { data: { environment } },
    says: [`environment "${environment}" is none of AzureCloud, AzureUSGovernment, AzureChinaCloud`],
  })),
  ...[
    'https://login.attacker.example/',
    'http://login.microsoftonline.com/',
    'https://login.microsoftonline.com.attacker.example/',
    'https://login.microsoftonline.com:8443/',
    'https://user:name@login.microsoftonline.com/',
    'https://login.microsoftonline.us/',
    'login.microsoftonline.com',
  ].map((authority) => ({
    title: `the authority ${authority}`,
    changes: { data: { environmentAuthorityUrl: authority } },
    says: [/its authority "[^"]+" is no Microsoft Entra host of AzureCloud \(login\.microsoftonline\.com\)/],
  })),
  {
    title: 'everything wrong, told at once',
    changes: {
      parameters: { tenantid: 'common', serviceprincipalid: 'deploy-app' },
      data: { environmentAuthorityUrl: 'https://login.attacker.example/' },
    },
    says: [
      /tenantid is neither.*; serviceprincipalid \(the client id\) is not a GUID; its authority "https:\/\/login\.attacker\.example\/"/,
    ],
  },
  {
    title: 'nothing but a scheme',
    changes: {
      parameters: { tenantid: undefined, serviceprincipalid: undefined },
      data: { environment: undefined, environmentAuthorityUrl: undefined },
    },
    says: ['tenantid is missing; serviceprincipalid (the client id) is missing'],
  },
];

describe('bad connections', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  for (const { title, changes, says } of schemes) {
    it(title, async () => {
      const run = await runWithConnection(suite.lab, ownConnection(changes), {
        serverChecks: { connectionTypes: false },
      });
      assertRefused(run, { code: 'CONNECTION_UNUSABLE', says: [...says, 'Secrets and certificates in a connection'] });
    });
  }

  for (const { title, changes, says } of fields) {
    it(title, async () => {
      const run = await runWithConnection(suite.lab, ownConnection(changes));
      assertRefused(run, { code: 'CONNECTION_UNUSABLE', says: [...says, ...correct] });
    });
  }

  it('names the connection, so that it is found', async () => {
    const connection = ownConnection({ scheme: 'Certificate' });
    const message = assertRefused(await runWithConnection(suite.lab, connection), { code: 'CONNECTION_UNUSABLE' });
    assert.ok(message.includes(connection.id), message);
  });

  it('a connection without environment and authority is one of the public cloud', async () => {
    const connection = ownConnection({ data: { environment: undefined, environmentAuthorityUrl: undefined } });
    assertIssued(await runWithConnection(suite.lab, connection));
  });

  it('an authority by its older name is met at the name of today', async () => {
    const connection = ownConnection({ data: { environmentAuthorityUrl: 'https://login.windows.net/' } });
    const run = await runWithConnection(suite.lab, connection);
    assertIssued(run);
    const hosts = run.requests.filter(({ server }) => server === 'entra').map(({ host }) => host);
    assert.deepEqual(hosts, ['login.microsoftonline.com']);
  });

  it('a tenant by its domain name is a tenant', async () => {
    const connection = ownConnection({ parameters: { tenantid: 'contoso.onmicrosoft.com' } });
    assertIssued(await runWithConnection(suite.lab, connection));
  });
});
