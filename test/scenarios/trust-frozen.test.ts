import assert from 'node:assert/strict';
import { assertIssued, assertNothingSet, assertRefused, recordsOf, registryToken, runSteps } from './bad-run.ts';
import { ledgersOf, scriptStep, warningCodes } from './pipelines.ts';
import { errorOf, exampleConnections, labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const images = exampleConnections.find(({ name }) => name === 'sc-images')?.id ?? '';

const setVariable = (name: string, value: string, more = '') =>
  `##vso[task.setvariable variable=${name}${more}]${value}`;
const setEndpoint = (field: string, key: string, value: string) =>
  `##vso[task.setendpoint id=${images};field=${field}${key ? `;key=${key}` : ''}]${value}`;

/** The agent leaves the files of scripts in its temp folder, and what stood in them. */
const scriptsStay = { allowSecretFiles: ['_work/_temp/*.sh'] };

/** A script that says these commands. */
const saying = (...commands: readonly string[]) => scriptStep(commands.map((command) => `echo '${command}'`));

interface Row {
  /** As the message names it. */
  readonly name: string;
  readonly command: string;
  /** What the message says of the values. */
  readonly says?: string | RegExp;
}

const attacker = 'https://login.attacker.example/';

const connection: readonly Row[] = [
  {
    name: 'connection parameter tenantid',
    command: setEndpoint('authParameter', 'tenantid', '99999999-0000-4000-8000-000000000099'),
  },
  {
    name: 'connection parameter serviceprincipalid',
    command: setEndpoint('authParameter', 'serviceprincipalid', '99999999-0000-4000-8000-000000000098'),
  },
  {
    name: 'connection parameter serviceprincipalkey',
    command: setEndpoint('authParameter', 'serviceprincipalkey', 'a-key-that-nobody-may-see'),
    says: '(its value is not shown)',
  },
  {
    name: 'connection data environment',
    command: setEndpoint('dataParameter', 'environment', 'AzureChinaCloud'),
    says: '(was "AzureCloud", is "AzureChinaCloud")',
  },
  {
    name: 'connection data environmentauthorityurl',
    command: setEndpoint('dataParameter', 'environmentAuthorityUrl', attacker),
    says: `(was "https://login.microsoftonline.com/", is "${attacker}")`,
  },
  {
    name: 'connection data activedirectoryauthority',
    command: setEndpoint('dataParameter', 'activeDirectoryAuthority', attacker),
    says: `(was not set, is "${attacker}")`,
  },
  { name: 'connection url', command: setEndpoint('url', '', 'https://management.attacker.example/') },
];

const variables: readonly Row[] = [
  ['System.CollectionUri', 'https://dev.attacker.example/contoso/'],
  ['System.TeamFoundationCollectionUri', 'https://dev.attacker.example/contoso/'],
  ['System.OidcRequestUri', 'https://dev.attacker.example/contoso/oidctoken'],
  ['System.TeamProjectId', '99999999-0000-4000-8000-000000000001'],
  ['System.PlanId', '99999999-0000-4000-8000-000000000002'],
  ['System.JobId', '99999999-0000-4000-8000-000000000003'],
  ['System.TimelineId', '99999999-0000-4000-8000-000000000004'],
  ['System.HostType', 'release'],
  ['System.ServerType', 'OnPremises'],
  ['System.JobAttempt', '7'],
  ['Build.BuildId', '1'],
  ['Agent.ProxyUrl', 'http://proxy.attacker.example:3128'],
  ['Agent.ProxyUsername', 'other'],
  ['Agent.ProxyBypassList', '[".*"]'],
  ['Agent.CAInfo', '/nowhere/authority.pem'],
  ['Agent.SkipCertValidation', 'True'],
].map(([name = '', value = '']) => ({
  name: `variable ${name}`,
  command: setVariable(name, value),
  says: new RegExp(`\\(was (?:not set|"[^"]+"), is "${value.replace(/[.[\]*/]/g, '\\$&')}"\\)`),
}));

const secret: Row = {
  name: 'variable Agent.ProxyPassword',
  command: setVariable('Agent.ProxyPassword', 'another-password', ';issecret=true'),
  says: '(its value is not shown)',
};

describe('what an earlier step rewrote', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  for (const { name, command, says } of [...connection, ...variables, secret]) {
    it(`is refused by name: ${name}`, async () => {
      const run = await runSteps(suite.lab, [saying(command), registryToken()], scriptsStay);
      const message = assertRefused(run, {
        code: 'FROZEN_COPY_DIFFERS',
        says: [
          'Since the job began, this was changed: ',
          `this was changed: ${name} (`,
          ...(says ? [says] : []),
          'No credential was requested',
        ],
        cleanUp: ['FROZEN_COPY_DIFFERS'],
      });
      assert.equal(message.split('\n')[0]?.split('; ').length, 1, `nothing else is named: ${message}`);
      assert.deepEqual(run.requests, [], 'nobody was asked for anything, by the clean-up neither');
    });
  }

  it('is refused by all its names at once', async () => {
    const run = await runSteps(suite.lab, [
      saying(setVariable('System.PlanId', 'x'), setEndpoint('dataParameter', 'environment', 'AzureChinaCloud')),
      registryToken(),
    ]);
    const message = assertRefused(run, { code: 'FROZEN_COPY_DIFFERS', cleanUp: ['FROZEN_COPY_DIFFERS'] });
    assert.match(message, /changed: connection data environment \(.*\); variable System\.PlanId \(/);
  });

  it('is refused by name: variable Agent.TempDirectory', async () => {
    const elsewhere = scriptStep([
      'mkdir "$AGENT_WORKFOLDER/elsewhere"',
      `echo "${setVariable('Agent.TempDirectory', '$AGENT_WORKFOLDER/elsewhere')}"`,
    ]);
    const run = await runSteps(suite.lab, [elsewhere, registryToken()]);
    assertRefused(run, {
      code: 'FROZEN_COPY_DIFFERS',
      says: [/this was changed: variable Agent\.TempDirectory \(was ".*_temp", is ".*elsewhere"\)/],
      cleanUp: ['FROZEN_COPY_DIFFERS'],
    });
    assert.deepEqual(run.requests, []);
  });

  it('is refused with one clear error even where the new temp folder is not there', async () => {
    const run = await runSteps(suite.lab, [
      saying(setVariable('Agent.TempDirectory', '/nowhere/at/all')),
      registryToken(),
    ]);
    const errors = stageOf(run, 'token').issues.filter(({ type }) => type === 'error');
    assertNothingSet(run);
    assert.deepEqual(run.requests, []);
    assert.equal(errors.length, 1, errors.map(({ message }) => message).join('\n'));
    assert.match(errors[0]?.message ?? '', /^[A-Z_]+: .*temp/i);
  });

  for (const [title, value] of [
    ['in the line', 'https://dev.attacker.example/ ##vso[task.setvariable variable=PLANTED]yes'],
    ['on a line of its own', 'https://dev.attacker.example/%0A##vso[task.setvariable variable=PLANTED]yes%0A##[error]'],
  ] as const) {
    it(`does no harm with a command in its value, ${title}`, async () => {
      const run = await runSteps(suite.lab, [saying(setVariable('System.OidcRequestUri', value)), registryToken()]);
      assertRefused(run, { code: 'FROZEN_COPY_DIFFERS', cleanUp: ['FROZEN_COPY_DIFFERS'] });
      assert.ok(!run.variables.some(({ name }) => name === 'PLANTED'));
    });
  }

  it('is not the job’s own token: the one of the system connection is used', async () => {
    const run = await runSteps(
      suite.lab,
      [
        saying(
          setVariable('System.AccessToken', 'another-token-of-an-attacker', ';issecret=true'),
          '##vso[task.setendpoint id=00000000-0000-0000-0000-000000000000;field=url]https://dev.attacker.example/',
        ),
        registryToken(),
      ],
      scriptsStay,
    );
    assertIssued(run);
  });
});

describe('a pre-job stage that did not run', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  for (const [title, condition] of [
    ['a variable that an earlier step sets', "eq(variables['ready'], 'yes')"],
    ['a failure of an earlier step', 'failed()'],
  ] as const) {
    it(`because its condition waits for ${title}: refused`, async () => {
      const script = condition === 'failed()' ? ['exit 1'] : [`echo '${setVariable('ready', 'yes')}'`];
      const run = await runSteps(suite.lab, [scriptStep(script), registryToken({}, { condition })]);
      assert.equal(stageOf(run, 'token', 'pre').result, 'Skipped');
      assertRefused(run, {
        code: 'FROZEN_COPY_MISSING',
        says: ['The pre-job stage of this step left no copy', 'Next: Put the condition on the job'],
        cleanUp: warningCodes(stageOf(run, 'token', 'post')),
      });
      assert.deepEqual(run.requests, []);
    });
  }

  it('is not made up for by a copy that a step forged', async () => {
    const forged = saying(setVariable('ready', 'yes'), setVariable('VSTS_TASKVARIABLE_ScopedTokenFrozen', '{}'));
    const run = await runSteps(suite.lab, [forged, registryToken({}, { condition: "eq(variables['ready'], 'yes')" })]);
    const { code, message } = errorOf(stageOf(run, 'token'));
    assert.equal(code, 'ENVIRONMENT_REFUSED');
    assert.ok(message.includes('VSTS_TASKVARIABLE_ScopedTokenFrozen'), message);
    assertNothingSet(run);
    assert.deepEqual(run.requests, []);
  });

  it('is what the clean-up warns of, too', async () => {
    const ready = saying(setVariable('ready', 'yes'));
    const run = await runSteps(suite.lab, [ready, registryToken({}, { condition: "eq(variables['ready'], 'yes')" })]);
    assert.deepEqual(warningCodes(stageOf(run, 'token', 'post')), ['FROZEN_COPY_MISSING']);
  });
});

describe('a clean-up among hostile variables', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  const rows: readonly (readonly [title: string, command: string, code: string, says: RegExp])[] = [
    [
      'a collection of another host',
      setVariable('System.CollectionUri', attacker),
      'FROZEN_COPY_DIFFERS',
      /System\.CollectionUri/,
    ],
    [
      'a proxy',
      setVariable('Agent.ProxyUrl', 'http://proxy.attacker.example:3128'),
      'FROZEN_COPY_DIFFERS',
      /Agent\.ProxyUrl/,
    ],
    ['another authority', setVariable('Agent.CAInfo', '/nowhere.pem'), 'FROZEN_COPY_DIFFERS', /Agent\.CAInfo/],
    ['a plan that is gone', setVariable('System.PlanId', ''), 'FROZEN_COPY_DIFFERS', /System\.PlanId/],
    ['options for Node', setVariable('NODE_OPTIONS', '--no-deprecation'), 'ENVIRONMENT_REFUSED', /NODE_OPTIONS/],
    ['checks switched off', setVariable('NODE_TLS_REJECT_UNAUTHORIZED', '0'), 'ENVIRONMENT_REFUSED', /NODE_TLS_REJECT/],
  ];
  for (const [title, command, code, says] of rows) {
    it(`stays off the network, warns and completes the ledger: ${title}`, async () => {
      const run = await runSteps(suite.lab, [registryToken({ evidence: 'confirmed' }), saying(command)]);
      const cleanUp = stageOf(run, 'token', 'post');
      assert.equal(cleanUp.result, 'Succeeded');
      assert.deepEqual(warningCodes(cleanUp), [code]);
      assert.match(cleanUp.issues[0]?.message ?? '', says);
      assert.match(cleanUp.issues[0]?.message ?? '', /The clean-up stays off the network/);
      const begun = Date.parse(cleanUp.startedAt);
      assert.deepEqual(
        run.requests.filter(({ time }) => Date.parse(time) >= begun),
        [],
      );
      assert.equal(recordsOf(run, 'final').at(-1)?.event, 'notRevocable');
    });
  }

  it('publishes nothing from a state that a step forged', async () => {
    const forged = saying(setVariable('VSTS_TASKVARIABLE_ScopedTokenState', '[]'));
    const run = await runSteps(suite.lab, [registryToken({ evidence: 'confirmed' }), forged]);
    const cleanUp = stageOf(run, 'token', 'post');
    assert.equal(cleanUp.result, 'Succeeded');
    assert.deepEqual(warningCodes(cleanUp), ['ENVIRONMENT_REFUSED']);
    assert.match(cleanUp.issues[0]?.message ?? '', /VSTS_TASKVARIABLE_ScopedTokenState.*the records stand in the log/);
    assert.deepEqual(ledgersOf(run, { kind: 'final' }), []);
  });

  it('does not vouch for a ledger that a step has changed', async () => {
    const change = scriptStep(
      'sed --in-place "s/pull on team/push on team/" "$AGENT_TEMPDIRECTORY"/scoped-token-*-main.jsonl',
    );
    const run = await runSteps(suite.lab, [registryToken({ evidence: 'confirmed' }), change]);
    const cleanUp = stageOf(run, 'token', 'post');
    assert.deepEqual(warningCodes(cleanUp), ['LEDGER_TAMPERED']);
    assert.ok(!run.attachments.some(({ name }) => name.endsWith('-final.jsonl')));
  });
});

describe('a pull request from a fork', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('gets nothing: the agent skips the step', async () => {
    const run = await runSteps(suite.lab, [registryToken()], { forkPullRequest: true });
    for (const stage of ['pre', 'main', 'post'] as const) assert.equal(stageOf(run, 'token', stage).result, 'Skipped');
    assertNothingSet(run);
    assert.deepEqual(run.requests, []);
  });
});
