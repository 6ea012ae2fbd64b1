import assert from 'node:assert/strict';
import type { Connection } from '../agent/job-server.ts';
import type { RunResult } from '../agent/run-result.ts';
import { formFields } from '../servers/call.ts';
import type { FederatedCredential } from '../servers/directory.ts';
import { type Fault, firstTimes } from '../servers/faults.ts';
import type { Lab } from '../servers/lab.ts';
import {
  assertIssued,
  assertRefused,
  assertRequests,
  knownTenant,
  ownConnection,
  recordsOf,
  registryToken,
  runSteps,
  runWithConnection,
} from './bad-run.ts';
import { correlationId, entraError, refused, traceId } from './entra-answers.ts';
import { labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

/** The one credential of a connection's application, which a test may change. */
function onlyCredential(lab: Lab, connection: Connection): FederatedCredential {
  const credentials = lab.entra.directory.trust(connection, 'Fabrikam')?.federatedCredentials ?? [];
  const own = credentials.find(({ name }) => name === `${connection.name}-${connection.issuer}`);
  assert.ok(own);
  credentials.splice(0, credentials.length, own);
  return own;
}

interface TrustRow {
  readonly title: string;
  readonly code: number;
  readonly why: string;
  readonly spoil: (credential: FederatedCredential, lab: Lab, connection: Connection) => void;
}

const distrust: readonly TrustRow[] = [
  {
    title: 'another issuer',
    code: 700211,
    why: 'No federated credential has this issuer. It is compared character by character, a final slash included.',
    spoil: (credential) => {
      credential.issuer = `${credential.issuer}/`;
    },
  },
  {
    title: 'another audience',
    code: 700212,
    why: 'No federated credential has this audience.',
    spoil: (credential) => {
      credential.audience = 'api://AzureADTokenExchangeUSGov';
    },
  },
  {
    title: 'another subject',
    code: 700213,
    why: 'No federated credential has this subject.',
    spoil: (credential) => {
      credential.subject = 'sc://contoso/Fabrikam/sc-other';
    },
  },
  {
    title: 'a subject in other letters',
    code: 7002138,
    why: 'only when upper and lower case are ignored; case matters',
    spoil: (credential) => {
      credential.subject = credential.subject.toUpperCase();
    },
  },
  {
    title: 'no credential at all',
    code: 70025,
    why: 'The application has no federated credential at all.',
    spoil: (_credential, lab, connection) => {
      lab.entra.directory.trust(connection, 'Fabrikam')?.federatedCredentials.splice(0);
    },
  },
];

describe('Entra’s refusals', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = () => runSteps(suite.lab, [registryToken()]);

  describe('of what was presented', () => {
    for (const issuer of ['azureDevOps', 'entra'] as const) {
      // What is presented differs by issuer, what Entra does with it does not: one row is enough for the second.
      for (const { title, code, why, spoil } of issuer === 'entra' ? distrust.slice(2, 3) : distrust) {
        it(`${title}, from the issuer ${issuer}`, async () => {
          const connection = ownConnection({ issuer });
          const credential = onlyCredential(suite.lab, connection);
          const presented = { ...credential };
          spoil(credential, suite.lab, connection);
          const failed = await runWithConnection(suite.lab, connection);
          const message = assertRefused(failed, {
            code: 'ENTRA_TRUST',
            says: [
              why,
              'does not trust this connection',
              code === 700212
                ? 'Next: Set the audience of the federated credential'
                : 'Next: Copy the issuer and subject shown above',
              `AADSTS${code}`,
            ],
            requests: { oidc: 1, entra: 1 },
            providerCode: `AADSTS${code}`,
          });
          assertPresented(message, presented);
          assertJoined(failed, message);
        });
      }
    }

    it('a signature of nobody’s', async () => {
      const keys = suite.lab.entra.issuerKeys;
      const before = [...keys];
      keys.clear();
      try {
        const failed = await runWithConnection(suite.lab, ownConnection());
        const message = assertRefused(failed, {
          code: 'ENTRA_TRUST',
          says: ['could not verify the signature of the assertion', 'presented issuer:'],
          requests: { oidc: 1, entra: 1 },
          providerCode: 'AADSTS700027',
        });
        assertJoined(failed, message);
      } finally {
        for (const [issuer, key] of before) keys.set(issuer, key);
      }
    });
  });

  for (const { title, answer, ...refusal } of refused) {
    it(title, async () => {
      suite.lab.fault('entra', () => answer);
      const failed = await run();
      const message = assertRefused(failed, { ...refusal, requests: { oidc: 1, entra: 1 } });
      if (!String(answer.body).includes(traceId)) return;
      assert.ok(message.includes(`trace_id ${traceId}`), message);
      assert.ok(message.includes(`correlation_id ${correlationId}`), message);
      assert.equal(recordsOf(failed).at(-1)?.issuer?.ids?.['correlation_id'], correlationId);
    });
  }

  describe('of the connection', () => {
    beforeEach(() => {
      suite.lab.entra.directory.autoTrust = false;
    });
    afterEach(() => {
      suite.lab.entra.directory.autoTrust = true;
    });

    it('90002: an unknown tenant', async () => {
      const tenantid = '0f0e0d0c-0b0a-4900-8807-060504030201';
      const failed = await runWithConnection(suite.lab, ownConnection({ parameters: { tenantid } }));
      const message = assertRefused(failed, {
        code: 'ENTRA_UNKNOWN_TENANT',
        says: [`knows no tenant ${tenantid}`, 'or the tenant is in another cloud', 'Next: Correct the tenant id'],
        requests: { oidc: 1, entra: 1 },
        providerCode: 'AADSTS90002',
      });
      assertJoined(failed, message);
    });

    it('700016: an unknown application', async () => {
      const failed = await runWithConnection(suite.lab, ownConnection());
      const message = assertRefused(failed, {
        code: 'ENTRA_UNKNOWN_APPLICATION',
        says: [`does not exist in tenant ${knownTenant}`, 'Correct the client id', 'az ad sp create --id'],
        requests: { oidc: 1, entra: 1 },
        providerCode: 'AADSTS700016',
      });
      assertJoined(failed, message);
    });
  });

  describe('of an assertion that has run out', () => {
    /** The assertions that Entra was shown, in order. */
    const watched = (then: Fault): { readonly shown: string[]; readonly fault: Fault } => {
      const shown: string[] = [];
      const fault: Fault = (call, count) => {
        shown.push(formFields(call).get('client_assertion') ?? '');
        return then(call, count);
      };
      return { shown, fault };
    };

    it('is tried once more with a fresh one, then told', async () => {
      const { shown, fault } = watched(() =>
        entraError(700024, 'Client assertion is not within its valid time range.'),
      );
      suite.lab.fault('entra', fault);
      assertRefused(await run(), {
        code: 'ENTRA_ASSERTION_EXPIRED',
        says: ['outside its time of validity, also with a fresh one', 'clocks of Azure DevOps and Microsoft Entra'],
        requests: { oidc: 2, entra: 2 },
        providerCode: 'AADSTS700024',
      });
      assert.equal(new Set(shown).size, 2, 'the second exchange had an assertion of its own');
    });

    it('heals with a fresh one', async () => {
      const { shown, fault } = watched(firstTimes(1, entraError(700024)));
      suite.lab.fault('entra', fault);
      const healed = await run();
      assertIssued(healed);
      assertRequests(healed, { oidc: 2, entra: 2, registry: 2 });
      assert.equal(new Set(shown).size, 2);
    });

    it('is judged by Entra itself', async () => {
      suite.lab.azureDevOps.assertionLifetimeSeconds = -1200;
      try {
        assertRefused(await run(), { code: 'ENTRA_ASSERTION_EXPIRED', requests: { oidc: 2, entra: 2 } });
      } finally {
        suite.lab.azureDevOps.assertionLifetimeSeconds = 600;
      }
    });
  });
});

/** The message quotes the three claims exactly: in clear, and issuer and subject in base64 as well. */
function assertPresented(message: string, { issuer, subject, audience }: FederatedCredential): void {
  const encoded = [issuer, subject].map((text) => Buffer.from(text).toString('base64')).join(' ');
  for (const line of [
    `presented issuer:   "${issuer}"`,
    `presented subject:  "${subject}"`,
    `presented audience: "${audience}" (expected "api://AzureADTokenExchange")`,
    `where the log masks a part: ${encoded}`,
  ]) {
    assert.ok(message.includes(line), `${line} in: ${message}`);
  }
}

/** Message, record and Entra's own log share the ids that a support case needs. */
function assertJoined(run: RunResult, message: string): void {
  const intent = recordsOf(run)[0]?.recordId ?? 'none';
  assert.match(message, /For support: AADSTS\d+, .*trace_id [0-9a-f-]{36}/);
  assert.ok(message.includes(`correlation_id ${intent}`), message);
  assert.equal(run.requests.find(({ server }) => server === 'entra')?.headers['clientRequestId'], intent);
  assert.equal(stageOf(run, 'token').issues.length, 1);
}
