import assert from 'node:assert/strict';
import { skipBecause } from '../requires.ts';
import { type Answer, type Call, jsonAnswer } from '../servers/call.ts';
import { cannedAnswers, type Fault } from '../servers/faults.ts';
import type { RegistryAccess } from '../servers/registry-access.ts';
import {
  assertIssued,
  assertRefused,
  assertRequests,
  forgedToken,
  ownConnection,
  type Refusal,
  recordsOf,
  registryToken,
  runSteps,
  runWithConnection,
  tokenVariable,
} from './bad-run.ts';
import { curlLines, outputsOf, scriptStep, statusesOf } from './pipelines.ts';
import { labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const requestId = 'd3b07384-d9a0-4c9b-8f4e-2a1b3c4d5e6f';
const host = 'contoso.azurecr.io';

/** An error as the registry writes it. */
function registryError(status: number, code: string, message: string): Answer {
  return jsonAnswer(status, { errors: [{ code, message }] }, { 'X-Ms-Correlation-Request-Id': requestId });
}

const atOnce = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, 'Retry-After': '0' } });

/** Answers one of the two routes only; the other one works. */
const onRoute =
  (route: 'exchange' | 'token', answer: Answer): Fault =>
  (call: Call) =>
    call.path === `/oauth2/${route}` ? answer : undefined;

interface Row extends Omit<Refusal, 'requests'> {
  readonly title: string;
  readonly route: 'exchange' | 'token';
  readonly answer: Answer;
  /** Requests to the registry. */
  readonly requests: number;
}

const answers: readonly Row[] = [
  {
    title: '401',
    route: 'exchange',
    answer: registryError(401, 'UNAUTHORIZED', 'authentication required'),
    requests: 1,
    code: 'TARGET_DENIED',
    says: [
      `The registry ${host} refused the identity (status 401 at its exchange route)`,
      'UNAUTHORIZED: authentication required',
      'Next: Give the identity AcrPull or AcrPush',
      `HTTP 401, x-ms-correlation-request-id ${requestId}`,
    ],
    providerCode: 'HTTP 401',
  },
  {
    title: '403 of a network rule',
    route: 'exchange',
    answer: registryError(403, 'DENIED', "client with IP '203.0.113.7' is not allowed access"),
    requests: 1,
    code: 'TARGET_DENIED',
    says: ['status 403', "client with IP '203.0.113.7' is not allowed access", 'network rules'],
  },
  {
    title: '403 with a page',
    route: 'exchange',
    answer: cannedAnswers.html(403),
    requests: 1,
    code: 'TARGET_DENIED',
    says: ['A network rule of the registry may keep this agent out'],
  },
  {
    title: '404',
    route: 'exchange',
    answer: { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found' },
    requests: 1,
    code: 'TARGET_REFUSED',
    says: ['status 404', `Next: Check that ${host} is an Azure container registry`],
  },
  {
    title: '429 that stays',
    route: 'exchange',
    answer: cannedAnswers.throttled(0),
    requests: 4,
    code: 'THROTTLED',
    says: [`The registry ${host} answered "too many requests" (429) after 4 tries`],
  },
  {
    title: '503 that stays',
    route: 'exchange',
    answer: atOnce(cannedAnswers.unavailable()),
    requests: 4,
    code: 'SERVER_UNAVAILABLE',
    says: [`The registry ${host} answered with status 503 after 4 tries`],
  },
  {
    title: 'a page with status 200',
    route: 'exchange',
    answer: cannedAnswers.html(),
    requests: 1,
    code: 'TARGET_BAD_ANSWER',
    says: [`${host} gave an answer that is not understood`, 'Its answer holds no "refresh_token"'],
  },
  {
    title: 'an empty 200',
    route: 'exchange',
    answer: cannedAnswers.empty(),
    requests: 1,
    code: 'TARGET_BAD_ANSWER',
    says: ['an empty body', 'what stands between it and the agent'],
  },
  {
    title: '401 for the access token',
    route: 'token',
    answer: registryError(401, 'UNAUTHORIZED', 'authentication required'),
    requests: 2,
    code: 'TARGET_DENIED',
    says: ['status 401 at its token route'],
  },
  {
    title: '500 for the access token, that stays',
    route: 'token',
    answer: atOnce(cannedAnswers.unavailable(500)),
    requests: 5,
    code: 'SERVER_UNAVAILABLE',
    says: ['status 500 after 4 tries'],
  },
  {
    title: 'no access token',
    route: 'token',
    answer: jsonAnswer(200, { access_token: '' }),
    requests: 2,
    code: 'TARGET_BAD_ANSWER',
    says: ['Its answer holds no "access_token"'],
  },
];

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

const unreadable: readonly { readonly title: string; readonly claims: () => Readonly<Record<string, unknown>> }[] = [
  { title: 'without the claim access', claims: () => ({ exp: inAnHour() }) },
  { title: 'with another kind of access', claims: () => ({ exp: inAnHour(), access: 'team/app' }) },
  { title: 'with an entry that cannot be read', claims: () => ({ exp: inAnHour(), access: [{ name: 'team/app' }] }) },
  {
    title: 'without an end',
    claims: () => ({ access: [{ type: 'repository', name: 'team/app', actions: ['pull'] }] }),
  },
];

const excess: readonly { readonly title: string; readonly more: RegistryAccess; readonly named: string }[] = [
  {
    title: 'another action',
    more: { type: 'repository', name: 'team/app', actions: ['push', 'delete'] },
    named: 'push,delete on team/app',
  },
  {
    title: 'another repository',
    more: { type: 'repository', name: 'team/secret', actions: ['pull'] },
    named: 'pull on team/secret',
  },
  {
    title: 'the catalogue',
    more: { type: 'registry', name: 'catalog', actions: ['*'] },
    named: '* on registry:catalog',
  },
];

describe('the registry’s refusals', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = () => runSteps(suite.lab, [registryToken()]);

  for (const { title, route, answer, requests, ...refusal } of answers) {
    it(title, async () => {
      suite.lab.fault('registry', onRoute(route, answer));
      assertRefused(await run(), { ...refusal, requests: { oidc: 1, entra: 1, registry: requests } });
    });
  }

  it('an identity without a role', async () => {
    const connection = ownConnection();
    suite.lab.registry.roles.set(connection.parameters['serviceprincipalid'] ?? '', undefined);
    assertRefused(await runWithConnection(suite.lab, connection), {
      code: 'TARGET_DENIED',
      says: ['authentication required, visit https://aka.ms/acr/authorization', 'AcrPull or AcrPush'],
      requests: { oidc: 1, entra: 1, registry: 1 },
    });
  });

  it('503 that heals, at both routes', async () => {
    const unwell = new Set(['/oauth2/exchange', '/oauth2/token']);
    const once: Fault = (call) => (unwell.delete(call.path) ? atOnce(cannedAnswers.unavailable()) : undefined);
    suite.lab.fault('registry', once);
    const healed = await run();
    assertIssued(healed);
    assertRequests(healed, { oidc: 1, entra: 1, registry: 4 });
  });
});

describe('what the registry grants', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const three = { oidc: 1, entra: 1, registry: 2 };
  afterEach(() => {
    suite.lab.registry.grantOverride = undefined;
    suite.lab.registry.accessLifetimeSeconds = 75 * 60;
  });

  for (const { title, more, named } of excess) {
    it(`more than asked is not exposed: ${title}`, async () => {
      suite.lab.registry.grantOverride = (_asked, granted) => [...granted, more];
      const failed = await runSteps(suite.lab, [registryToken()]);
      assertRefused(failed, {
        code: 'GRANTED_EXCESS',
        says: [`${host} granted more than was declared: ${named}`, 'Declared was: pull on team/app', 'was not exposed'],
        requests: three,
      });
      const last = recordsOf(failed).at(-1);
      assert.deepEqual(last?.what.excess, [named]);
      assert.match(last?.token?.fingerprint ?? '', /^[0-9a-f]{16}$/, 'what was issued is in the ledger');
      assert.ok(Date.parse(last?.token?.expiresOn ?? '') > Date.now());
    });
  }

  it('less than asked is named, and the token works', async function () {
    if (!suite.lab.registry.available) skipBecause(this, suite.lab.registry.unavailableReason ?? 'no registry');
    const less = ownConnection();
    suite.lab.registry.roles.set(less.parameters['serviceprincipalid'] ?? '', new Map([['team/app', ['pull']]]));
    const use = scriptStep(
      curlLines([
        { label: 'declared', url: `https://${host}/v2/team/app/tags/list`, headers: ['Authorization: Bearer $TOKEN'] },
      ]),
      { TOKEN: `$(${tokenVariable})` },
    );
    const asked = 'pull,push on team/app\npull on team/secret';
    const run = await runSteps(suite.lab, [registryToken({ azureConnection: less.name, scopes: asked }), use], {
      connections: [less],
    });
    const step = assertIssued(run, { warnings: ['GRANTED_LESS'] });
    assert.match(step.issues[0]?.message ?? '', /missing: push on team\/app; pull on team\/secret/);
    assert.deepEqual(recordsOf(run).at(-1)?.what.missing, ['push on team/app', 'pull on team/secret']);
    assert.equal(outputsOf(step)['grantedScopes'], 'pull on team/app');
    assert.deepEqual(statusesOf(run), { declared: 200 });
  });

  it('nothing is a failure', async () => {
    const failed = await runSteps(suite.lab, [registryToken({ scopes: 'pull on team/web' })]);
    assertRefused(failed, {
      code: 'GRANTED_NOTHING',
      says: [
        'granted none of: pull on team/web',
        /object id [0-9a-f-]{36}/,
        'or a repository does not exist',
        'AcrPull',
      ],
      requests: three,
    });
  });

  for (const { title, claims } of unreadable) {
    it(`a token ${title} is not used`, async () => {
      const token = forgedToken(suite.lab, 'registryToken', claims());
      suite.lab.fault('registry', onRoute('token', jsonAnswer(200, { access_token: token })));
      assertRefused(await runSteps(suite.lab, [registryToken()]), {
        code: 'TARGET_BAD_ANSWER',
        says: ['What its token grants cannot be read, so the token is not used'],
        requests: three,
      });
    });
  }

  it('an opaque token is not used', async () => {
    const token = 'opaque-registry-token-that-nobody-may-see';
    suite.lab.observations.secret('registryToken', token);
    suite.lab.fault('registry', onRoute('token', jsonAnswer(200, { access_token: token })));
    assertRefused(await runSteps(suite.lab, [registryToken()]), { code: 'TARGET_BAD_ANSWER', requests: three });
  });

  it('a token that has run out already is not exposed as a good one', async () => {
    suite.lab.registry.accessLifetimeSeconds = -60;
    assertRefused(await runSteps(suite.lab, [registryToken()]), { code: 'TARGET_BAD_ANSWER', requests: three });
  });

  it('a longer life than asked is told, once', async () => {
    const run = await runSteps(suite.lab, [registryToken({ lifetimeMinutes: '15' })]);
    assertIssued(run, { warnings: ['LIFETIME_LONGER'] });
    assert.match(stageOf(run, 'token').issues[0]?.message ?? '', /lives 75 minutes, not 15/);
  });
});
