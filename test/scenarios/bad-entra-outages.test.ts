import { type Answer, jsonAnswer } from '../servers/call.ts';
import { cannedAnswers, firstTimes } from '../servers/faults.ts';
import {
  assertIssued,
  assertRefused,
  assertRequests,
  forgedToken,
  knownTenant,
  type Refusal,
  registryToken,
  runSteps,
  storageToken,
} from './bad-run.ts';
import { atOnce, correlationId, entraError } from './entra-answers.ts';
import { labForSuite, scenarioTimeoutMilliseconds } from './scenario.ts';

interface PassingRow extends Omit<Refusal, 'requests'> {
  readonly title: string;
  readonly answer: Answer;
  /** Shown to heal as well. */
  readonly heals?: true;
}

describe('Entra’s outages', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = () => runSteps(suite.lab, [registryToken()]);

  const passing: readonly PassingRow[] = [
    {
      title: '50166: the keys of the issuer cannot be read',
      answer: entraError(50166, 'Request to External OIDC endpoint failed.', 401),
      code: 'SERVER_UNAVAILABLE',
      says: [
        'could not do its part (AADSTS50166) after 4 tries',
        'set-up need not be changed',
        'Next: Run again later',
      ],
      providerCode: 'AADSTS50166',
      heals: true,
    },
    {
      title: '90061',
      answer: entraError(90061, 'Request to External OIDC endpoint failed.'),
      code: 'SERVER_UNAVAILABLE',
      says: ['(AADSTS90061) after 4 tries', `correlation_id ${correlationId}`],
      providerCode: 'AADSTS90061',
    },
    {
      title: '429',
      answer: cannedAnswers.throttled(0),
      code: 'THROTTLED',
      says: ['Microsoft Entra answered "too many requests" (429) after 4 tries'],
    },
    {
      title: '503',
      answer: cannedAnswers.unavailable(503),
      code: 'SERVER_UNAVAILABLE',
      says: ['Microsoft Entra answered with status 503 after 4 tries', 'The service has an outage'],
      heals: true,
    },
    {
      title: '502 with a page',
      answer: cannedAnswers.html(502),
      code: 'SERVER_UNAVAILABLE',
      says: ['status 502 after 4 tries'],
    },
  ];
  for (const { title, answer, heals, ...refusal } of passing) {
    it(`${title}, and stays so`, async () => {
      suite.lab.fault('entra', () => atOnce(answer));
      assertRefused(await run(), { ...refusal, requests: { oidc: 1, entra: 4 } });
    });

    if (!heals) continue;
    it(`${title}, and heals`, async () => {
      suite.lab.fault('entra', firstTimes(2, atOnce(answer)));
      const healed = await run();
      assertIssued(healed);
      assertRequests(healed, { oidc: 1, entra: 3, registry: 2 });
    });
  }

  it('a reset, then an answer', async () => {
    suite.lab.fault('entra', firstTimes(1, 'reset'));
    assertIssued(await run());
  });
});

describe('Entra’s tokens', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('for another audience are not used', async () => {
    const token = forgedToken(suite.lab, 'entraToken', { aud: 'https://graph.microsoft.com', tid: knownTenant });
    suite.lab.fault('entra', () => jsonAnswer(200, { token_type: 'Bearer', expires_in: 3599, access_token: token }));
    assertRefused(await runSteps(suite.lab, [registryToken()]), {
      code: 'ENTRA_BAD_ANSWER',
      says: ['another audience than https://containerregistry.azure.net', 'nothing was done with it'],
      requests: { oidc: 1, entra: 1 },
    });
  });

  it('may be opaque', async () => {
    const opaque = 'opaque-entra-token-that-nobody-may-see';
    const refresh = forgedToken(suite.lab, 'registryRefreshToken', { grant_type: 'refresh_token' });
    const access = forgedToken(suite.lab, 'registryToken', {
      exp: Math.floor(Date.now() / 1000) + 4500,
      access: [{ type: 'repository', name: 'team/app', actions: ['pull'] }],
    });
    suite.lab.observations.secret('entraToken', opaque);
    suite.lab.fault('entra', () => jsonAnswer(200, { token_type: 'Bearer', expires_in: 3599, access_token: opaque }));
    suite.lab.fault('registry', (call) =>
      call.path === '/oauth2/exchange'
        ? jsonAnswer(200, { refresh_token: refresh })
        : jsonAnswer(200, { access_token: access }),
    );
    assertIssued(await runSteps(suite.lab, [registryToken()]));
  });

  it('that are opaque are refused by storage without a crash', async () => {
    const opaque = 'opaque-entra-token-that-nobody-may-see';
    suite.lab.observations.secret('entraToken', opaque);
    suite.lab.fault('entra', () => jsonAnswer(200, { token_type: 'Bearer', expires_in: 3599, access_token: opaque }));
    assertRefused(await runSteps(suite.lab, [storageToken()]), {
      code: 'TARGET_DENIED',
      says: ['InvalidAuthenticationInfo', 'object id unknown'],
      requests: { oidc: 1, entra: 1, storage: 1 },
    });
  });
});
