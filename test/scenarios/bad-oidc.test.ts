import assert from 'node:assert/strict';
import type { RunResult } from '../agent/run-result.ts';
import { type Answer, jsonAnswer } from '../servers/call.ts';
import { cannedAnswers, type Fault, firstTimes } from '../servers/faults.ts';
import { type Lab, startLab } from '../servers/lab.ts';
import {
  assertIssued,
  assertRefused,
  assertRequests,
  forgedToken,
  type Refusal,
  registryToken,
  runSteps,
  type StepOptions,
} from './bad-run.ts';
import { exampleConnections, labForSuite, scenarioTimeoutMilliseconds } from './scenario.ts';

const route = "the pipeline's OIDC route";
const requestId = '3f1c9a52-7b0e-4c7d-9d1a-0e5b6c7d8e9f';
const withId = { 'X-VSS-E2EID': requestId };

interface Row extends Omit<Refusal, 'requests'> {
  readonly title: string;
  readonly answer: Answer;
}

/** Answers that do not heal: one request each. */
const answers: readonly Row[] = [
  {
    title: 'an empty 200',
    answer: cannedAnswers.empty(),
    code: 'OIDC_BAD_ANSWER',
    says: [`${route} gave no token for connection`, 'an empty body', 'Its answer is no JSON', 'Next: Run again'],
  },
  {
    title: 'an empty object',
    answer: jsonAnswer(200, {}, withId),
    code: 'OIDC_BAD_ANSWER',
    says: ['Its answer holds no "oidcToken"', `x-vss-e2eid ${requestId}`],
  },
  {
    title: 'a sign-in page with status 200',
    answer: cannedAnswers.html(),
    code: 'OIDC_BAD_ANSWER',
    says: [
      'content type text/html',
      'something between the agent and Azure DevOps may have answered',
      'look at the proxy',
    ],
  },
  { title: 'an empty token', answer: jsonAnswer(200, { oidcToken: '' }), code: 'OIDC_BAD_ANSWER', says: ['oidcToken'] },
  {
    title: 'a token of null',
    answer: jsonAnswer(200, { oidcToken: null }),
    code: 'OIDC_BAD_ANSWER',
    says: ['oidcToken'],
  },
  { title: 'null', answer: jsonAnswer(200, null), code: 'OIDC_BAD_ANSWER', says: ['gave no token for connection'] },
  {
    title: 'a redirect to a sign-in page',
    answer: cannedAnswers.redirect('https://login.attacker.example/_signin?token=none'),
    code: 'OIDC_REFUSED',
    says: ['refused a token', 'status 302', "The job's access token was not accepted"],
    providerCode: 'HTTP 302',
  },
  {
    title: '401',
    answer: jsonAnswer(401, { message: 'TF400813: The user is not authorized to access this resource.' }, withId),
    code: 'OIDC_REFUSED',
    says: ['status 401', 'TF400813', "The job's access token was not accepted", `HTTP 401, x-vss-e2eid ${requestId}`],
  },
  {
    title: '403',
    answer: jsonAnswer(403, { message: 'TF401027: You need the Use permission on this endpoint.' }),
    code: 'OIDC_REFUSED',
    says: ['status 403', 'TF401027', 'Next: Check that the connection exists, is shared with this project'],
  },
  {
    title: '403 with a page',
    answer: cannedAnswers.html(403),
    code: 'OIDC_REFUSED',
    says: ['status 403', 'content type text/html'],
  },
  {
    title: '404',
    answer: jsonAnswer(404, { message: 'No orchestration plan found with identifier 0a1b.' }),
    code: 'OIDC_NOT_AVAILABLE',
    says: ['no OIDC route at the address', 'No orchestration plan found', 'Azure DevOps Services'],
    providerCode: 'HTTP 404',
  },
  {
    title: '405',
    answer: jsonAnswer(405, { value: { Message: "The requested resource does not support http method 'POST'." } }),
    code: 'OIDC_REFUSED',
    says: ['status 405', "does not support http method 'POST'"],
  },
  {
    title: '429 that asks for more than there is time for',
    answer: cannedAnswers.throttled(120),
    code: 'THROTTLED',
    says: [`${route} answered "too many requests" (429) after one try`, 'Retry-After 120', 'Next: Run again later'],
    providerCode: 'HTTP 429',
  },
];

/** A text answer that asks to come again at once: the tries are the same, the test need not wait between them. */
const atOnce = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, 'Retry-After': '0' } });

const healing: readonly { readonly title: string; readonly fault: Fault; readonly requests: number }[] = [
  { title: '429 with seconds', fault: firstTimes(1, cannedAnswers.throttled(1)), requests: 2 },
  {
    title: '429 with an HTTP date',
    fault: (_call, count) => (count === 1 ? cannedAnswers.throttled(new Date(Date.now() + 2000)) : undefined),
    requests: 2,
  },
  { title: '500', fault: firstTimes(1, cannedAnswers.unavailable(500)), requests: 2 },
  { title: '503, three times', fault: firstTimes(3, atOnce(cannedAnswers.unavailable(503))), requests: 4 },
  { title: '408', fault: firstTimes(1, atOnce(cannedAnswers.unavailable(408))), requests: 2 },
  { title: 'a reset, twice', fault: firstTimes(2, 'reset'), requests: 3 },
];

describe('bad answers of the OIDC route', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const silent = silentRun();
  const run = (options: StepOptions = {}) => runSteps(suite.lab, [registryToken()], options);

  for (const { title, answer, ...refusal } of answers) {
    it(title, async () => {
      suite.lab.fault('oidc', () => answer);
      assertRefused(await run(), { ...refusal, requests: { oidc: 1 } });
    });
  }

  describe('that heal', () => {
    for (const { title, fault, requests } of healing) {
      it(title, async () => {
        suite.lab.fault('oidc', fault);
        const healed = await run();
        assertIssued(healed);
        assertRequests(healed, { oidc: requests, entra: 1, registry: 2 });
      });
    }

    it('a date to wait for is held against the server’s clock, not the agent’s', async () => {
      suite.lab.clock.offsetSeconds = 3600;
      suite.lab.fault('oidc', (_call, count) => {
        const later = new Date(suite.lab.clock.nowMilliseconds() + 1500);
        return count === 1 ? cannedAnswers.throttled(later) : undefined;
      });
      const healed = await run();
      assertIssued(healed, { warnings: ['CLOCK_SKEW'] });
      assertRequests(healed, { oidc: 2, entra: 1, registry: 2 });
    });
  });

  describe('that never heal', () => {
    it('429', async () => {
      suite.lab.fault('oidc', () => cannedAnswers.throttled(0));
      const says = ['429) after 4 tries', 'Next: Run again later'];
      assertRefused(await run(), { code: 'THROTTLED', says, requests: { oidc: 4 } });
    });

    it('503, with the waits between the tries', async () => {
      suite.lab.fault('oidc', () => cannedAnswers.unavailable(503));
      const failed = await run();
      const says = [`${route} answered with status 503 after 4 tries`, 'The service has an outage'];
      assertRefused(failed, { code: 'SERVER_UNAVAILABLE', says, requests: { oidc: 4 }, providerCode: 'HTTP 503' });
      const times = failed.requests.filter(({ server }) => server === 'oidc').map(({ time }) => Date.parse(time));
      const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      assert.ok((waits[0] ?? 0) >= 350 && (waits[2] ?? 0) >= 1500, `waits grow: ${waits}`);
      assert.ok(Math.max(...waits) < 4000, `waits are bounded: ${waits}`);
    });
  });

  it('a connection that the stage does not name', async () => {
    assertRefused(await run({ referencedConnections: [] }), {
      code: 'OIDC_NOT_REFERENCED',
      says: ['There is no explicit reference to service connection', 'Next: Name the connection itself', 'HTTP 400'],
      requests: { oidc: 1 },
    });
  });

  it('a token of the pipeline instead of the connection’s', async () => {
    const token = forgedToken(suite.lab, 'oidcToken', {
      iss: 'https://vstoken.dev.azure.com/7c5a0d52-2f0b-4e3c-9d0e-5d0c6f1b7a10',
      sub: 'p://contoso/Fabrikam/pipeline',
      aud: 'api://AzureADTokenExchange',
    });
    suite.lab.fault('oidc', () => jsonAnswer(200, { oidcToken: token }));
    assertRefused(await run(), {
      code: 'OIDC_BAD_ANSWER',
      says: [
        'gave a token for the pipeline ("p://contoso/Fabrikam/pipeline"), not for the connection',
        'azureConnection',
      ],
      requests: { oidc: 1 },
    });
  });

  it('a token that is none', async () => {
    const token = 'opaque-token-that-nobody-may-see';
    suite.lab.observations.secret('oidcToken', token);
    suite.lab.fault('oidc', () => jsonAnswer(200, { oidcToken: token }, withId));
    const says = ['gave an answer that is not understood', requestId];
    assertRefused(await run(), { code: 'OIDC_BAD_ANSWER', says, requests: { oidc: 1 } });
  });

  it('no answer at all is given up in less than a minute', async () => {
    const failed = await silent.result();
    const says = [`No answer from ${route} (dev.azure.com) within 10 s`, 'went through the proxy 127.0.0.1:', 'Next:'];
    assertRefused(failed, { code: 'NETWORK_TIMEOUT', says, requests: { oidc: 4 } });
    const took = failed.steps.find((step) => step.stage === 'main')?.durationMilliseconds ?? 0;
    assert.ok(took < 50_000, `${took} ms`);
  });
});

/** A run whose OIDC route never answers. It waits in servers of its own while the other tests of the file run. */
function silentRun(): { result(): Promise<RunResult> } {
  let lab: Lab | undefined;
  let run: Promise<RunResult> | undefined;
  before(async function () {
    this.timeout(30_000);
    lab = await startLab({ connections: exampleConnections, registry: 'off' });
    lab.fault('oidc', () => 'hang');
    run = runSteps(lab, [registryToken()]);
    // A failure is met by whoever asks for the result; until then it must not count as unhandled.
    run.catch(() => undefined);
  });
  after(async () => lab?.stop());
  return {
    result() {
      assert.ok(run, 'the run is there from the first hook on');
      return run;
    },
  };
}

describe('the address of the OIDC route', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = (options: StepOptions) => runSteps(suite.lab, [registryToken()], options);
  const noAddress = { 'system.oidcRequestUri': '' };

  for (const hostType of ['build', 'release'] as const) {
    it(`is built from the job's ids in a ${hostType}`, async () => {
      const issued = await run({ hostType, variables: noAddress });
      assertIssued(issued);
      const asked = issued.requests.find(({ server }) => server === 'oidc');
      assert.match(asked?.path ?? '', new RegExp(`/hubs/${hostType}/plans/${issued.ids.planId}/jobs/`));
    });
  }

  it('is not built for another kind of job', async () => {
    assertRefused(await run({ variables: { ...noAddress, 'system.hosttype': 'gates' } }), {
      code: 'OIDC_NOT_AVAILABLE',
      says: ['System.OidcRequestUri is empty', 'this job\'s is "gates"', 'Next: Run the step in a build or release'],
    });
  });

  for (const address of [
    'https://oidc.attacker.example/contoso/oidctoken',
    'http://dev.azure.com/contoso/oidctoken',
    'https://dev.azure.com:8443/contoso/oidctoken',
    'https://dev.azure.com@attacker.example/oidctoken',
    'oidctoken',
  ]) {
    it(`is refused on another origin: ${address}`, async () => {
      assertRefused(await run({ variables: { 'system.oidcRequestUri': address } }), {
        code: 'HOST_NOT_ALLOWED',
        says: [
          "is not on the collection's own origin (https://dev.azure.com)",
          'Next: Find what sets System.OidcRequestUri',
        ],
      });
    });
  }

  it('is not there on Azure DevOps Server', async () => {
    assertRefused(await run({ variables: { 'system.servertype': 'OnPremises' } }), {
      code: 'OIDC_NOT_AVAILABLE',
      says: [
        'a feature of Azure DevOps Services; this is Azure DevOps Server',
        'Use a connection with a managed identity',
      ],
    });
  });
});
