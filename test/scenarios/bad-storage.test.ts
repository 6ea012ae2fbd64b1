import assert from 'node:assert/strict';
import type { Answer } from '../servers/call.ts';
import { cannedAnswers } from '../servers/faults.ts';
import {
  assertIssued,
  assertRefused,
  assertRequests,
  ownConnection,
  type Refusal,
  recordsOf,
  runSteps,
  storageToken,
  tokenVariable,
} from './bad-run.ts';
import { curlLines, outputsOf, scriptStep, statusesOf } from './pipelines.ts';
import { labForSuite, scenarioTimeoutMilliseconds } from './scenario.ts';

const requestId = '8d5b2a1c-001e-00a1-5b6c-7d8e9f000000';

/** An error as storage writes it. */
function storageError(status: number, code: string, message: string): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/xml', 'x-ms-error-code': code, 'x-ms-request-id': requestId },
    body: `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${message}\nRequestId:${requestId}</Message></Error>`,
  };
}

/** A delegation key as storage writes it, with these elements in place of the usual ones. */
function keyAnswer(changes: Readonly<Record<string, string>>): Answer {
  const elements = {
    SignedOid: '0a0b0c0d-0000-4000-8000-000000000001',
    SignedTid: '72f988bf-0000-4000-8000-2d7cd011db47',
    SignedStart: '2026-03-01T10:00:00Z',
    SignedExpiry: '2099-03-01T11:00:00Z',
    SignedService: 'b',
    SignedVersion: '2022-11-02',
    Value: 'bm90LWEta2V5',
    ...changes,
  };
  const xml = Object.entries(elements).map(([name, value]) => `<${name}>${value}</${name}>`);
  return {
    status: 200,
    headers: { 'Content-Type': 'application/xml', 'x-ms-request-id': requestId },
    body: `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>${xml.join('')}</UserDelegationKey>`,
  };
}

const xmlAnswer = (body: string): Answer => ({ status: 200, headers: { 'Content-Type': 'application/xml' }, body });
const atOnce = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, 'Retry-After': '0' } });

interface Row extends Omit<Refusal, 'requests'> {
  readonly title: string;
  readonly answer: Answer;
  /** Requests to the account; one where it is not said. */
  readonly requests?: number;
}

const noKey = ['It holds no delegation key', 'what stands between the agent and the account'];

const answers: readonly Row[] = [
  {
    title: '401',
    answer: storageError(401, 'InvalidAuthenticationInfo', 'Server failed to authenticate the request.'),
    code: 'TARGET_DENIED',
    says: ['The account contosodata refused the identity', '401, InvalidAuthenticationInfo', 'its tenant'],
    providerCode: 'InvalidAuthenticationInfo',
  },
  {
    title: '403 of a network rule',
    answer: storageError(403, 'AuthorizationFailure', 'This request is not authorized to perform this operation.'),
    code: 'TARGET_DENIED',
    says: [
      '403, AuthorizationFailure',
      'A network rule of the account keeps this agent out',
      'Next: Check the account’s networking (selected networks, private endpoint)',
      `AuthorizationFailure, x-ms-request-id ${requestId}`,
    ],
    providerCode: 'AuthorizationFailure',
  },
  {
    title: '403 with a page',
    answer: cannedAnswers.html(403),
    code: 'TARGET_DENIED',
    says: ['The account contosodata refused the identity'],
    providerCode: 'HTTP 403',
  },
  {
    title: '404',
    answer: storageError(404, 'ResourceNotFound', 'The specified resource does not exist.'),
    code: 'TARGET_REFUSED',
    says: ['refused the request for a delegation key', 'status 404', 'Next: Check that the resource input is the URL'],
    providerCode: 'ResourceNotFound',
  },
  {
    title: '409, a feature that the account has not',
    answer: storageError(409, 'FeatureNotSupported', 'not supported'),
    code: 'TARGET_REFUSED',
    providerCode: 'FeatureNotSupported',
  },
  {
    title: '429 that stays',
    answer: cannedAnswers.throttled(0),
    requests: 4,
    code: 'THROTTLED',
    says: ['Azure Storage (contosodata) answered "too many requests" (429) after 4 tries'],
  },
  {
    title: '503 that stays',
    answer: atOnce(storageError(503, 'ServerBusy', 'The server is busy.')),
    requests: 4,
    code: 'SERVER_UNAVAILABLE',
    says: ['Azure Storage (contosodata) answered with status 503 after 4 tries'],
  },
  { title: 'a page with status 200', answer: cannedAnswers.html(), code: 'TARGET_BAD_ANSWER', says: noKey },
  { title: 'an empty 200', answer: cannedAnswers.empty(), code: 'TARGET_BAD_ANSWER', says: noKey },
  {
    title: 'XML that ends too early',
    answer: xmlAnswer('<?xml version="1.0"?><UserDelegationKey><SignedOid>0a0b'),
    code: 'TARGET_BAD_ANSWER',
    says: noKey,
  },
  {
    title: 'other XML',
    answer: xmlAnswer('<Report><Value>1</Value></Report>'),
    code: 'TARGET_BAD_ANSWER',
    says: noKey,
  },
  { title: 'a key without a value', answer: keyAnswer({ Value: '' }), code: 'TARGET_BAD_ANSWER', says: noKey },
  {
    title: 'a key without an end',
    answer: keyAnswer({ SignedExpiry: 'soon' }),
    code: 'TARGET_BAD_ANSWER',
    says: noKey,
  },
  {
    title: 'a key that has ended already',
    answer: keyAnswer({ SignedExpiry: '2026-03-01T10:30:00Z' }),
    code: 'TARGET_BAD_ANSWER',
    says: ['a delegation key for contosodata that has ended already (2026-03-01T10:30:00.000Z)', 'clocks', 'NTP'],
  },
];

describe('storage’s refusals', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = () => runSteps(suite.lab, [storageToken()]);
  before(() => {
    // The key of the canned answers: nobody may see it either.
    suite.lab.observations.secret('delegationKey', 'bm90LWEta2V5');
  });

  for (const { title, answer, requests, ...refusal } of answers) {
    it(title, async () => {
      suite.lab.fault('storage', () => answer);
      assertRefused(await run(), { ...refusal, requests: { oidc: 1, entra: 1, storage: requests ?? 1 } });
    });
  }

  it('an identity that may get no key', async () => {
    const connection = ownConnection();
    suite.lab.storage.roles.set(connection.parameters['serviceprincipalid'] ?? '', { delegator: false, data: 'read' });
    const step = storageToken({ azureConnection: connection.name });
    const objectId = suite.lab.entra.directory.trust(connection, 'Fabrikam')?.objectId ?? 'none';
    assertRefused(await runSteps(suite.lab, [step], { connections: [connection] }), {
      code: 'TARGET_DENIED',
      says: [
        'It needs generateUserDelegationKey on the account, and a data role on the container',
        `az role assignment create --assignee-object-id ${objectId}`,
        '"Storage Blob Delegator"',
      ],
      requests: { oidc: 1, entra: 1, storage: 1 },
      providerCode: 'AuthorizationPermissionMismatch',
    });
  });

  it('a directory on an account without a hierarchy, which is never widened', async () => {
    const failed = await runSteps(suite.lab, [storageToken({ scopes: 'read on logs/2026/**' })]);
    assertRefused(failed, {
      code: 'TARGET_UNSUITABLE',
      says: ['does not confirm that it has a hierarchical namespace', 'Nothing was widened and no variable was set'],
      requests: { oidc: 1, entra: 1, storage: 2 },
    });
  });

  it('503 and a reset, which heal', async () => {
    const busy = atOnce(storageError(503, 'ServerBusy', 'The server is busy.'));
    suite.lab.fault('storage', (_call, count) => [busy, 'reset' as const][count - 1]);
    const healed = await run();
    assertIssued(healed);
    assertRequests(healed, { oidc: 1, entra: 1, storage: 3 });
  });

  it('a key that ends before the asked life bounds the signature, with one warning', async () => {
    const ends = new Date(Math.floor(Date.now() / 1000) * 1000 + 600_000);
    suite.lab.storage.keyTimes = (asked) => ({ ...asked, expiresOn: ends });
    try {
      const use = scriptStep(
        curlLines([{ label: 'declared', url: 'https://contosodata.blob.core.windows.net/logs/app.json?$SAS' }]),
        { SAS: `$(${tokenVariable})` },
      );
      const issued = await runSteps(suite.lab, [storageToken(), use]);
      const step = assertIssued(issued, { warnings: ['TOKEN_NOTE'] });
      assert.match(step.issues[0]?.message ?? '', /delegation key ends at .*, earlier than asked/);
      assert.equal(outputsOf(step)['expiresOn'], ends.toISOString());
      assert.equal(recordsOf(issued).at(-1)?.token?.expiresOn, ends.toISOString());
      assert.deepEqual(statusesOf(issued), { declared: 200 });
    } finally {
      suite.lab.storage.keyTimes = undefined;
    }
  });
});
