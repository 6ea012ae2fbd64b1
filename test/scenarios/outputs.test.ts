import assert from 'node:assert/strict';
import { readRecords } from '../../src/audit/ledger.ts';
import type { RunResult } from '../agent/run-result.ts';
import {
  ledgersOf,
  outputsOf,
  pipelineOf,
  printed,
  registryStep,
  type Step,
  scriptStep,
  storageStep,
  variablesSet,
} from './pipelines.ts';
import { errorOf, labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const names = ['issued', 'enforcement', 'proof', 'expiresOn', 'grantedScopes', 'excess', 'fingerprint', 'recordId'];

/** A script that prints every output of a step, as a later step of a pipeline gets them. */
function printOutputs(step: string, when = step): Step {
  const env = Object.fromEntries(names.map((name) => [`OUT_${name}`, `$(${step}.${name})`]));
  return scriptStep(
    names.map((name) => `echo "${when}.${name}: $OUT_${name}"`),
    env,
  );
}

/** What {@link printOutputs} printed. */
function printedOutputs(run: RunResult, when: string): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, printed(run, `${when}.${name}`)]));
}

describe('output variables', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('tell later steps what was granted, how that is known, until when, and which record says so', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        printOutputs('logs', 'before'),
        storageStep({ name: 'logs', scopes: 'list,read on logs', evidence: 'confirmed' }),
        registryStep({ name: 'image', scopes: 'pull on team/app', evidence: 'confirmed' }),
        printOutputs('logs'),
        printOutputs('image'),
        scriptStep(
          [
            'echo "sha of logs: $(printf %s "$SAS" | sha256sum | cut -c1-16)"',
            'echo "sha of image: $(printf %s "$TOKEN" | sha256sum | cut -c1-16)"',
          ],
          { SAS: '$(STORAGE_SAS)', TOKEN: '$(REGISTRY_TOKEN)' },
        ),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    for (const [name, value] of Object.entries(printedOutputs(run, 'before'))) assert.equal(value, `$(logs.${name})`);
    const logs = printedOutputs(run, 'logs');
    const image = printedOutputs(run, 'image');
    assert.deepEqual(outputsOf(stageOf(run, 'logs')), logs);
    const { expiresOn, fingerprint, recordId, ...told } = logs;
    const common = { issued: 'true', enforcement: 'issuer', excess: '' };
    assert.deepEqual(told, { ...common, proof: 'constructed', grantedScopes: 'read,list on logs' });
    assert.equal(image['proof'], 'readBack');
    assert.equal(image['grantedScopes'], 'pull on team/app');
    for (const [step, outputs] of Object.entries({ logs, image })) {
      assert.match(outputs['expiresOn'] ?? '', /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/);
      assert.match(outputs['fingerprint'] ?? '', /^[0-9a-f]{16}$/);
      assert.equal(outputs['fingerprint'], printed(run, `sha of ${step}`));
    }
    assert.notEqual(fingerprint, image['fingerprint']);
    assertInLedger(run, { recordId, fingerprint, expiresOn });
    assert.deepEqual(variablesSet(run), ['STORAGE_SAS', 'REGISTRY_TOKEN']);
  });

  /** The server has it by REST before the job's end; the last copy is the agent's or the server's. */
  function assertInLedger(
    run: RunResult,
    { recordId, fingerprint, expiresOn }: Readonly<Record<string, string | undefined>>,
  ): void {
    const stored = suite.lab.azureDevOps.attachments
      .all()
      .filter(({ planId, name }) => planId === run.ids.planId && name.endsWith('-main.jsonl'));
    const records = stored.flatMap(({ content }) => readRecords(content).records);
    const record = records.find((one) => one.recordId === recordId);
    assert.equal(record?.event, 'issued');
    assert.equal(record.token?.fingerprint, fingerprint);
    assert.equal(record.token?.expiresOn, expiresOn);
  }

  it('are not there for a pull request from a fork: no step, no request, no secret', async () => {
    const run = await runScenario(suite.lab, {
      forkPullRequest: true,
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'read on logs' }),
        printOutputs('logs'),
        scriptStep('echo "secret: $SAS"', { SAS: '$(STORAGE_SAS)' }),
      ),
    });
    assert.equal(stageOf(run, 'logs').result, 'Skipped');
    assert.equal(printed(run, 'logs.issued'), '$(logs.issued)');
    assert.equal(printed(run, 'secret'), '$(STORAGE_SAS)');
    assert.deepEqual(variablesSet(run), []);
    assert.deepEqual(run.requests, []);
    assert.deepEqual(ledgersOf(run), []);
  });

  it('are not set after a failure, so that a condition on issued does not hold', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'rl on logs' }),
        { ...printOutputs('logs'), condition: 'always()' },
        { ...scriptStep('echo ran'), condition: "and(always(), ne(variables['logs.issued'], 'true'))" },
      ),
    });
    errorOf(stageOf(run, 'logs'));
    for (const [name, value] of Object.entries(printedOutputs(run, 'logs'))) assert.equal(value, `$(logs.${name})`);
    assert.deepEqual(variablesSet(run), []);
    assert.ok(run.log.includes('ran'));
  });

  it('hold no secret that an input took in', async () => {
    const run = await runScenario(suite.lab, {
      variables: { pin: { value: 'hunter2hunter2', secret: true } },
      pipeline: pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs/$(pin)/app.json' }), printOutputs('logs')),
    });
    assert.equal(stageOf(run, 'logs').result, 'Succeeded');
    const granted = stageOf(run, 'logs').outputVariables.find(({ name }) => name.endsWith('grantedScopes'));
    assert.equal(granted?.value, 'read on logs/[secret]/app.json');
  });
});
