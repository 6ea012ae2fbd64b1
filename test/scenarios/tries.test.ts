import assert from 'node:assert/strict';
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecords, verifyLedger } from '../../src/audit/ledger.ts';
import { summarise } from '../../src/audit/summary.ts';
import type { RunResult } from '../agent/run-result.ts';
import { cannedAnswers, firstTimes } from '../servers/faults.ts';
import {
  headsOf,
  ledgersOf,
  outputsOf,
  pipelineOf,
  printed,
  scriptStep,
  storageStep,
  variablesSet,
} from './pipelines.ts';
import { labForSuite, removeAgentFolder, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const retried = { retryCountOnTaskFailure: 1 };
const printFingerprint = scriptStep('echo "in the variable: $(printf %s "$SAS" | sha256sum | cut -c1-16)"', {
  SAS: '$(STORAGE_SAS)',
});

describe('a step that is tried again', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  /** `ATTEMPT-TRY-KIND` of the ledgers of one step, whose id begins every name. */
  const ledgerNames = (run: RunResult): readonly string[] => {
    const { recordId } = stageOf(run, 'logs');
    return ledgersOf(run).map(({ name }) => {
      assert.ok(name.startsWith(`${recordId}-`));
      return name.slice(recordId.length + 1);
    });
  };

  it('leaves a ledger for every try, and the token of the last', async () => {
    suite.lab.fault('oidc', firstTimes(1, cannedAnswers.html()));
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs' }, retried), printFingerprint),
    });
    const main = stageOf(run, 'logs');
    assert.equal(run.result, 'Succeeded');
    assert.equal(main.tries, 2);
    assert.deepEqual([...ledgerNames(run)].sort(), [
      ...['1-1-final.jsonl', '1-1-main.jsonl', '1-2-final.jsonl', '1-2-main.jsonl'],
    ]);
    const finals = ledgersOf(run, { kind: 'final' }).map(({ content }) => content);
    assert.deepEqual(
      finals.map((content) => readRecords(content).records.map(({ event, where }) => `${event} ${where.try}`)),
      [
        ['intent 1', 'failed 1'],
        ['intent 2', 'issued 2', 'notRevocable 2'],
      ],
    );
    assert.deepEqual(
      finals.map((content) => verifyLedger(content).head),
      headsOf(run).slice(2),
    );
    assert.equal(outputsOf(main)['fingerprint'], printed(run, 'in the variable'));
    assert.equal(run.summary.length, 1);
    assert.match(run.summary[0]?.content ?? '', /2 asked for, 1 issued, 1 failed/);
  });

  it('counts no token twice when the first try had one already', async () => {
    suite.lab.fault('azureDevOps', ({ method }, count) =>
      method === 'PUT' && count === 1 ? { status: 403, body: '' } : undefined,
    );
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'read on logs', evidence: 'confirmed' }, retried),
        printFingerprint,
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.equal(stageOf(run, 'logs').tries, 2);
    assert.deepEqual(variablesSet(run), ['STORAGE_SAS']);
    const stored = suite.lab.azureDevOps.attachments
      .all()
      .filter(({ planId, name }) => planId === run.ids.planId && name.endsWith('.jsonl'))
      .sort((a, b) => a.name.localeCompare(b.name));
    assert.equal(new Set(stored.map(({ name }) => name)).size, stored.length);
    const { rows, totals, conflicts } = summarise(stored.flatMap(({ content }) => readRecords(content).records));
    assert.deepEqual(conflicts, []);
    assert.deepEqual(
      rows.map(({ state, end, where }) => [where.try, state, end]),
      [
        [1, 'failed', 'notRevocable'],
        [2, 'issued', 'notRevocable'],
      ],
    );
    assert.equal(totals.tokens, 2);
    assert.equal(new Set(rows.map(({ token }) => token?.fingerprint)).size, 2);
    assert.equal(rows[1]?.token?.fingerprint, printed(run, 'in the variable'));
  });

  it('does not take up what another attempt of the job left on the agent', async () => {
    const workFolder = await mkdtemp(join(tmpdir(), 'agent-'));
    try {
      const pipeline = pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs', evidence: 'confirmed' }));
      const first = await runScenario(suite.lab, { pipeline, workFolder });
      const left = (await readdir(join(workFolder, '_work', '_temp'))).filter((name) =>
        name.startsWith('scoped-token-'),
      );
      assert.equal(left.length, 1, 'the file of the first attempt is still there');
      const { planId, buildId } = first.ids;
      const second = await runScenario(suite.lab, { pipeline, workFolder, attempt: 2, ids: { planId, buildId } });
      const ids = [first, second].map((run) => stageOf(run, 'logs').recordId);
      const names = suite.lab.azureDevOps.attachments
        .all()
        .filter((stored) => stored.planId === planId && stored.type === 'scoped-token.ledger')
        .map(({ name }) => name);
      const expected = ids.flatMap((id, index) =>
        ['main', 'final'].map((kind) => `${id}-${index + 1}-1-${kind}.jsonl`),
      );
      assert.deepEqual(names, expected);
      assert.deepEqual(
        [first, second].map((run) => [run.result, run.issues.length]),
        [
          ['Succeeded', 0],
          ['Succeeded', 0],
        ],
      );
      assert.deepEqual(
        second.log.filter((line) => line.startsWith('notRevocable at')).length,
        1,
        'one token, that of the second attempt',
      );
    } finally {
      await removeAgentFolder(workFolder);
    }
  });
});
