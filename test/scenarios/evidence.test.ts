import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecords, verifyLedger } from '../../src/audit/ledger.ts';
import type { RunResult } from '../agent/run-result.ts';
import { root } from '../packaged.ts';
import { headsOf, ledgersOf, outputsOf, pipelineOf, storageStep } from './pipelines.ts';
import { labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

/** Runs the command line tool as its users do. */
function cli(...words: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile('npm', ['run', '--silent', 'cli', '--', ...words], { cwd: root }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr });
    });
  });
}

describe('the evidence of a run', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  let run: RunResult;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evidence-'));
    run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep(
          { name: 'logs', scopes: 'read,list on logs', purpose: 'nightly report', lifetimeMinutes: '30' },
          { displayName: 'Token to read the logs' },
        ),
      ),
    });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const contentOf = (kind: 'main' | 'final'): string => {
    const found = ledgersOf(run, { step: 'logs', kind });
    assert.equal(found.length, 1);
    return found[0]?.content ?? '';
  };

  it('is two ledgers, the second of which begins with the first; their heads stand in the log', () => {
    const [mainHead, finalHead] = headsOf(run);
    assert.equal(headsOf(run).length, 2);
    const [main, final] = [contentOf('main'), contentOf('final')];
    assert.deepEqual(verifyLedger(main, { head: mainHead }), { state: 'consistent', head: mainHead, count: 2 });
    assert.deepEqual(verifyLedger(final, { head: finalHead }), { state: 'consistent', head: finalHead, count: 3 });
    assert.ok(final.startsWith(main));
    assert.equal(ledgersOf(run).length, 2);
    const { records, problems } = readRecords(final);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      records.map(({ event }) => event),
      ['intent', 'issued', 'notRevocable'],
    );
  });

  it('says who, what, where, why, until when, and as which identity', () => {
    const { recordId: stepId } = stageOf(run, 'logs');
    const { records } = readRecords(contentOf('final'));
    const [intent, issued, end] = records;
    assert.ok(intent && issued && end);
    assert.deepEqual([issued.intentId, end.intentId], [intent.recordId, intent.recordId]);
    assert.deepEqual(
      { ...issued.what, notChecked: issued.what.notChecked?.length },
      {
        target: 'storage',
        resource: 'https://contosodata.blob.core.windows.net',
        ...{ asked: ['read,list on logs'], granted: ['read,list on logs'], missing: [], excess: [] },
        ...{ enforcement: 'issuer', proof: 'constructed', notChecked: 1 },
        ...{ variable: 'STORAGE_SAS', askedLifetimeSeconds: 1800 },
      },
    );
    const { organisation, planId, jobId, stepId: recordedStep, jobAttempt, try: attempt, step } = issued.where;
    assert.deepEqual(
      { organisation, planId, jobId, recordedStep, jobAttempt, attempt, step },
      {
        ...{ organisation: 'contoso', planId: run.ids.planId, jobId: run.ids.jobId, recordedStep: stepId },
        ...{ jobAttempt: 1, attempt: 1, step: 'Token to read the logs' },
      },
    );
    assert.equal(issued.purpose, 'nightly report');
    assert.equal(issued.who.connectionName, 'sc-logs');
    assert.equal(issued.who.assertionSubject, 'sc://contoso/Fabrikam/sc-logs');
    assert.equal(issued.token?.fingerprint, outputsOf(stageOf(run, 'logs'))['fingerprint']);
    const clientRequestIds = run.requests
      .filter(({ server }) => server === 'entra' || server === 'storage')
      .flatMap(({ headers }) => headers['clientRequestId'] ?? []);
    assert.ok(clientRequestIds.includes(intent.recordId), 'the record’s id travelled to the issuer');
    assert.equal(issued.issuer?.ids?.['scid'], intent.recordId);
  });

  it('is summed up for people on the run’s page', () => {
    assert.equal(run.summary.length, 1);
    const [summary] = run.summary;
    assert.match(summary?.name ?? '', /^Scoped Token Token to read the logs storage [0-9a-f]{4}\.md$/);
    const { fingerprint, expiresOn } = outputsOf(stageOf(run, 'logs'));
    const finalName = ledgersOf(run, { kind: 'final' })[0]?.name;
    for (const expected of [
      '## Token to read the logs · storage · https&#58;//contosodata.blob.core.windows.net',
      '| Outcome | issued |',
      '| Purpose | nightly report |',
      '| Asked | read,list on logs |',
      '| Granted | read,list on logs |',
      '| Enforcement | issuer, constructed |',
      `| Fingerprint | ${fingerprint} |`,
      `| Expires | ${expiresOn} |`,
      `| Ended | cannot be revoked: valid until ${expiresOn} |`,
      `- Head: ${headsOf(run)[1]}, after 3 records`,
      `- Attachment: type scoped-token.ledger, name ${finalName}`,
    ]) {
      assert.ok(summary?.content.includes(expected), expected);
    }
  });

  it('is verified by the command that the summary gives, which names what was tampered with', async () => {
    const [main, final, edited] = ['main', 'final', 'edited'].map((name) => join(folder, `${name}.jsonl`));
    assert.ok(main && final && edited);
    await writeFile(main, contentOf('main'));
    await writeFile(final, contentOf('final'));
    await writeFile(edited, contentOf('final').replace('nightly report', 'nightly deploy'));
    const given = /`npm run cli -- (ledger verify --head [0-9a-f]{64}) FILE`/.exec(run.summary[0]?.content ?? '')?.[1];
    assert.ok(given, 'the summary gives the command');
    const [good, short, bad] = await Promise.all([
      cli(...given.split(' '), final),
      cli(...given.split(' '), main),
      cli('ledger', 'verify', main, edited),
    ]);
    assert.equal(good.code, 0, good.output);
    assert.equal(good.output, `${final}: consistent, 3 records, head ${headsOf(run)[1]}\n`);
    assert.equal(short.code, 1);
    assert.match(short.output, /records are missing at its end/);
    assert.equal(bad.code, 1);
    assert.match(bad.output, /main\.jsonl: consistent, 2 records/);
    assert.match(bad.output, /edited\.jsonl: BROKEN at line 1, record 1 \([0-9a-f-]{36}\): its content does not match/);
  });
});
