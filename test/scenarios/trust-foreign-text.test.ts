import assert from 'node:assert/strict';
import { runPipeline } from '../agent/run-pipeline.ts';
import type { RunResult } from '../agent/run-result.ts';
import { packagedExtension } from '../packaged.ts';
import { type Answer, jsonAnswer } from '../servers/call.ts';
import {
  assertClear,
  assertRefused,
  hideAttachmentList,
  ownConnection,
  type Refusal,
  registryToken,
  runSteps,
  storageToken,
  tokenName,
} from './bad-run.ts';
import { pipelineOf, type Step } from './pipelines.ts';
import { errorOf, labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const commands = [
  '##vso[task.setvariable variable=PLANTED]yes',
  '##vso[task.setendpoint id=6f1c1f6e-3f55-4a0e-9a39-5b1f3a5c0a02;field=url]https://attacker.example/',
  '##vso[task.complete result=Succeeded;]done',
  '##[error]not ours',
].join(' ');

interface Row extends Refusal {
  readonly title: string;
  readonly server: 'oidc' | 'entra' | 'registry' | 'storage';
  readonly answer: Answer;
  readonly step?: Step;
}

const rows: readonly Row[] = [
  {
    title: 'in the description of an Entra error',
    server: 'entra',
    answer: jsonAnswer(400, {
      error: 'invalid_request',
      error_description: `AADSTS7000229: ${commands}`,
      error_codes: [7000229],
      trace_id: commands,
      correlation_id: `${commands}`,
    }),
    code: 'ENTRA_REFUSED',
    requests: { oidc: 1, entra: 1 },
  },
  {
    title: 'on a line of its own in the description of an Entra error',
    server: 'entra',
    answer: jsonAnswer(400, {
      error: 'invalid_request',
      error_description: `AADSTS7000229: refused\r\n${commands}\n${commands}`,
      error_codes: [7000229],
    }),
    code: 'ENTRA_REFUSED',
    requests: { oidc: 1, entra: 1 },
  },
  {
    title: 'in a registry’s error',
    server: 'registry',
    answer: jsonAnswer(403, { errors: [{ code: `DENIED ${commands}`, message: `\u2028${commands}` }] }),
    code: 'TARGET_DENIED',
    requests: { oidc: 1, entra: 1, registry: 1 },
  },
  {
    title: 'in the OIDC route’s error',
    server: 'oidc',
    answer: jsonAnswer(
      403,
      { message: commands },
      { 'X-VSS-E2EID': 'none ##vso[task.setvariable variable=PLANTED]yes' },
    ),
    code: 'OIDC_REFUSED',
    requests: { oidc: 1 },
  },
  {
    title: 'split by invisible characters, which are taken out',
    server: 'oidc',
    answer: jsonAnswer(403, { message: '#\u200b#v\u0007so[task.setvariable variable=PLANTED]yes' }),
    code: 'OIDC_REFUSED',
    requests: { oidc: 1 },
  },
  {
    title: 'in the content type and code of a storage answer',
    server: 'storage',
    answer: {
      status: 404,
      headers: { 'Content-Type': commands, 'x-ms-error-code': commands, 'x-ms-request-id': commands },
      body: `<Error><Code>${commands}</Code></Error>`,
    },
    step: storageToken(),
    code: 'TARGET_REFUSED',
    requests: { oidc: 1, entra: 1, storage: 1 },
  },
  {
    title: 'in Retry-After',
    server: 'registry',
    answer: { status: 429, headers: { 'Retry-After': commands }, body: '' },
    code: 'THROTTLED',
    requests: { oidc: 1, entra: 1, registry: 4 },
  },
];

const noHarm = (run: RunResult): void => {
  assert.ok(!run.variables.some(({ name }) => name === 'PLANTED'), 'a variable was planted');
  assert.ok(!run.log.some((line) => /^##\[error\]not ours/.test(line)), 'a line was planted');
};

describe('a logging command that others hid', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  for (const { title, server, answer, step, ...refusal } of rows) {
    it(`${title} does nothing`, async () => {
      suite.lab.fault(server, () => answer);
      const run = await runSteps(suite.lab, [step ?? registryToken()]);
      assertRefused(run, refusal);
      noHarm(run);
    });
  }

  it('in the inputs of the step does nothing', async () => {
    const run = await runSteps(suite.lab, [
      registryToken({ scopes: `pull on ${commands}`, purpose: commands, resource: commands, variable: commands }),
    ]);
    assertRefused(run, { code: 'INPUT_INVALID' });
    noHarm(run);
  });

  it('in the claims of a pipeline’s token does nothing', async () => {
    const claims = { iss: commands, sub: `p://${commands}`, aud: commands };
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const oidcToken = `${encode({ alg: 'none' })}.${encode(claims)}.c2lnbmF0dXJlLW9mLW5vYm9keQ`;
    suite.lab.fault('oidc', () => jsonAnswer(200, { oidcToken }));
    const run = await runSteps(suite.lab, [registryToken()]);
    assertRefused(run, { code: 'OIDC_BAD_ANSWER', requests: { oidc: 1 } });
    noHarm(run);
  });
});

describe('a name that is a registered secret', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('of the organisation: a trust failure still tells issuer and subject exactly', async () => {
    const connection = ownConnection();
    suite.lab.entra.directory.trust(connection, 'Fabrikam')?.federatedCredentials.splice(0);
    hideAttachmentList(suite.lab);
    // Not by runScenario: what is told in base64 is, to its leak search, the name that somebody made a secret.
    const run = await runPipeline({
      vsix: await packagedExtension(),
      pipeline: pipelineOf(registryToken({ azureConnection: connection.name })),
      connections: [connection],
      server: suite.lab,
      variables: { organisation: { value: 'contoso', secret: true } },
    });
    const { code, message } = errorOf(stageOf(run, tokenName));
    assert.equal(code, 'ENTRA_TRUST');
    assertClear(message);
    assert.ok(!message.includes('contoso'), 'the log masks the name');
    const told = /where the log masks a part: (\S+) (\S+)/.exec(message)?.slice(1) ?? [];
    assert.deepEqual(
      told.map((text) => Buffer.from(text, 'base64').toString('utf8')),
      ['https://vstoken.dev.azure.com/7c5a0d52-2f0b-4e3c-9d0e-5d0c6f1b7a10', 'sc://contoso/Fabrikam/sc-own'],
    );
    assert.ok(message.includes('presented audience: "api://AzureADTokenExchange"'), message);
    const elsewhere = run.leaks.filter(({ where, form }) => {
      // The name stands in variables of the job itself; in the log it is masked.
      if (where.startsWith('variable ')) return false;
      return form !== 'base64' || !/^(?:log line|issue of)/.test(where);
    });
    assert.deepEqual(elsewhere, [], 'nowhere else, and in no other form');
  });
});
