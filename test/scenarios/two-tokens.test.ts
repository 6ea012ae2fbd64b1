import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readRecords, verifyLedger } from '../../src/audit/ledger.ts';
import {
  headsOf,
  ledgersOf,
  outputsOf,
  pipelineOf,
  printed,
  scriptStep,
  storageStep,
  variablesSet,
  warningCodes,
} from './pipelines.ts';
import { labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const fingerprintOf = (variable: string): string =>
  `echo "${variable}: $(printf %s "$${variable}" | sha256sum | cut -c1-16)"`;

describe('several tokens', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('the same inputs twice in a job: two tokens, two ledgers, two headings', async () => {
    const scopes = 'read,list on logs';
    const named = { displayName: 'Token to read the logs' };
    const longName = `logs_${'again_'.repeat(15)}`;
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'first', scopes, variable: 'FIRST' }, named),
        storageStep({ name: 'second', scopes, variable: 'SECOND' }, named),
        storageStep({ name: longName, scopes, variable: `T${'h'.repeat(127)}` }, { displayName: 'Another token' }),
        scriptStep([fingerprintOf('FIRST'), fingerprintOf('SECOND'), 'echo "long: $LONG"'], {
          FIRST: '$(FIRST)',
          SECOND: '$(SECOND)',
          LONG: `$(${longName}.issued)`,
        }),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(run.issues, []);
    const [first, second] = ['first', 'second'].map((name) => outputsOf(stageOf(run, name))['fingerprint']);
    assert.deepEqual([printed(run, 'FIRST'), printed(run, 'SECOND')], [first, second]);
    assert.notEqual(first, second);
    assert.equal(printed(run, 'long'), 'true');
    assert.equal(ledgersOf(run).length, 6);
    assert.equal(new Set(ledgersOf(run).map(({ name }) => name)).size, 6);
    for (const { content } of ledgersOf(run)) assert.equal(verifyLedger(content).state, 'consistent');
    const headings = run.summary.map(({ name }) => name);
    assert.equal(new Set(headings).size, 3, `headings apart: ${headings}`);
    assert.equal(headings.filter((heading) => heading.includes('Another token')).length, 1);
  });

  it('a variable that is a secret already: its value is replaced, with a warning', async () => {
    const run = await runScenario(suite.lab, {
      // the agent's names have no case
      variables: { storage_sas: { value: 'a value of the library group', secret: true } },
      pipeline: pipelineOf(
        storageStep({ name: 'first', scopes: 'read on logs', evidence: 'confirmed' }),
        storageStep({ name: 'second', scopes: 'list on logs', evidence: 'confirmed' }),
        storageStep({ name: 'other', scopes: 'list on logs', evidence: 'confirmed', variable: 'OTHER_SAS' }),
        scriptStep(fingerprintOf('SAS'), { SAS: '$(STORAGE_SAS)' }),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(warningCodes(stageOf(run, 'first')), ['VARIABLE_TAKEN']);
    assert.deepEqual(warningCodes(stageOf(run, 'second')), ['VARIABLE_TAKEN']);
    assert.deepEqual(warningCodes(stageOf(run, 'other')), []);
    assert.match(stageOf(run, 'second').issues[0]?.message ?? '', /STORAGE_SAS is a secret variable already/);
    assert.equal(printed(run, 'SAS'), outputsOf(stageOf(run, 'second'))['fingerprint']);
    assert.ok(variablesSet(run).includes('STORAGE_SAS'));
  });

  it('the legs of a matrix: the same names at the same time, evidence apart', async () => {
    const ids = { planId: randomUUID(), buildId: '4712', timelineId: randomUUID() };
    const pipeline = pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs' }, { displayName: 'Token' }));
    const legs = await Promise.all([1, 2, 3, 4].map(() => runScenario(suite.lab, { pipeline, ids })));
    const ledgers = legs.flatMap((run) => ledgersOf(run));
    assert.equal(ledgers.length, 8);
    assert.equal(new Set(ledgers.map(({ name }) => name)).size, 8);
    for (const run of legs) {
      assert.equal(run.result, 'Succeeded');
      assert.deepEqual(run.issues, []);
      const [mainHead, finalHead] = headsOf(run);
      for (const [kind, head] of [
        ['main', mainHead],
        ['final', finalHead],
      ] as const) {
        const [ledger] = ledgersOf(run, { kind });
        assert.equal(verifyLedger(ledger?.content ?? '', { head }).state, 'consistent');
        const jobs = readRecords(ledger?.content ?? '').records.map(({ where }) => where.jobId);
        assert.deepEqual([...new Set(jobs)], [run.ids.jobId]);
      }
    }
    const onServer = suite.lab.azureDevOps.attachments.all().filter(({ planId }) => planId === ids.planId);
    assert.equal(onServer.length, 12, 'two ledgers and a summary of each leg');
    assert.equal(new Set(legs.map((run) => outputsOf(stageOf(run, 'logs'))['fingerprint'])).size, 4);
  });
});
