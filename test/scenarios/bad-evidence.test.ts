import assert from 'node:assert/strict';
import type { RunResult } from '../agent/run-result.ts';
import { type Answer, jsonAnswer } from '../servers/call.ts';
import { cannedAnswers, type Fault, type FaultOutcome, firstTimes } from '../servers/faults.ts';
import {
  assertClear,
  assertNothingSet,
  assertRequests,
  recordsOf,
  registryToken,
  runSteps,
  storageToken,
  tokenVariable,
} from './bad-run.ts';
import { curlLines, ledgersOf, pipelineOf, type Step, scriptStep, statusesOf, warningCodes } from './pipelines.ts';
import { errorOf, labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const denied = jsonAnswer(403, { errors: [{ code: 'DENIED', message: 'not now' }] });
const use = scriptStep(
  curlLines([{ label: 'declared', url: 'https://contosodata.blob.core.windows.net/logs/app.json?$SAS' }]),
  { SAS: `$(${tokenVariable})` },
);

/** Events of every attached ledger of a kind, in the order of their upload. */
const eventsOf = (run: RunResult, kind: 'main' | 'final') =>
  ledgersOf(run, { kind }).map(({ content }) =>
    content
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: string }).event),
  );

describe('a step that is tried again', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const step = registryToken({}, { retryCountOnTaskFailure: 1 });

  it('and then succeeds: the ledger has both tries', async () => {
    suite.lab.fault('registry', firstTimes(1, denied));
    const run = await runSteps(suite.lab, [step]);
    const main = stageOf(run, 'token');
    assert.equal(main.tries, 2);
    assert.equal(main.result, 'Succeeded');
    const errors = main.issues.filter(({ type }) => type === 'error');
    assert.deepEqual(
      errors.map(({ code }) => code),
      ['TARGET_DENIED'],
    );
    assertRequests(run, { oidc: 2, entra: 2, registry: 3 });
    assert.deepEqual(eventsOf(run, 'main'), [
      ['intent', 'failed'],
      ['intent', 'issued'],
    ]);
    assert.deepEqual(eventsOf(run, 'final'), [
      ['intent', 'failed'],
      ['intent', 'issued', 'notRevocable'],
    ]);
    assert.deepEqual(
      recordsOf(run).map((record) => record.where.try),
      [2, 2],
    );
    assert.ok(run.variables.some(({ name, secret }) => name === tokenVariable && secret));
    assert.deepEqual(stageOf(run, 'token', 'post').issues, []);
  });

  it('and fails again: two errors, two records, nothing set', async () => {
    suite.lab.fault('registry', () => denied);
    const run = await runSteps(suite.lab, [step]);
    const main = stageOf(run, 'token');
    assert.equal(main.result, 'Failed');
    const errors = main.issues.filter(({ type }) => type === 'error');
    assert.equal(errors.length, 2);
    for (const { message } of errors) assertClear(message);
    assertNothingSet(run);
    assertRequests(run, { oidc: 2, entra: 2, registry: 2 });
    const failed = ['intent', 'failed'];
    assert.deepEqual(eventsOf(run, 'main'), [failed, failed]);
    assert.deepEqual(eventsOf(run, 'final'), [failed, failed]);
  });
});

describe('a step whose commands are restricted', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const restricted = { target: { commands: 'restricted' } };
  // The list of attachments is asked for as in any run: that is what tells the clean-up what is missing.
  const run = (...steps: Step[]) => runScenario(suite.lab, { pipeline: pipelineOf(...steps) });
  /** Our own warnings; the agent's about a command have no code. */
  const ours = (result: RunResult) => result.steps.flatMap(warningCodes).filter((code) => /^[A-Z_]+$/.test(code));

  it('the token works, and one warning says that the evidence is missing', async () => {
    const result = await run(storageToken({}, restricted), use);
    assert.equal(stageOf(result, 'token').result, 'Succeeded');
    assert.deepEqual(statusesOf(result), { declared: 200 });
    assert.deepEqual(ledgersOf(result), []);
    assert.deepEqual(ours(result), ['EVIDENCE_MISSING']);
    const [warning] = stageOf(result, 'token', 'post').issues.filter(({ message }) => message.startsWith('EVIDENCE'));
    assert.match(warning?.message ?? '', /target: commands: restricted.*set evidence: confirmed/);
    assert.ok(result.log.includes('##[group]Scoped Token record: issued'), 'the log has the record');
  });

  it('evidence by REST is not missing', async () => {
    const result = await run(storageToken({ evidence: 'confirmed' }, restricted), use);
    assert.deepEqual(statusesOf(result), { declared: 200 });
    assert.deepEqual(ours(result), []);
  });

  it('a variable that the step may not set is not there, and stays secret', async () => {
    const result = await run(storageToken({}, { target: { settableVariables: 'none' } }));
    assertNothingSet(result);
    assert.ok(
      stageOf(result, 'token').issues.some(({ message }) => /Setting variable '\w+' has been disabled/.test(message)),
    );
  });
});

describe('evidence that must be confirmed', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  /** Answers uploads by REST so; what else is asked for is unknown. */
  const uploads =
    (answer: () => FaultOutcome): Fault =>
    (call) =>
      call.method === 'PUT' ? answer() : jsonAnswer(404, {});

  const rows: readonly (readonly [title: string, answer: Answer, says: string])[] = [
    ['is refused', jsonAnswer(403, { message: 'TF400813: not authorized' }), 'status 403'],
    ['is sent to a sign-in page', cannedAnswers.redirect('https://login.attacker.example/'), 'status 302'],
    ['meets an outage', cannedAnswers.throttled(600), 'status 429'],
  ];
  for (const [title, answer, says] of rows) {
    it(`and ${title}: no variable, and the record goes another way`, async () => {
      suite.lab.fault(
        'azureDevOps',
        uploads(() => answer),
      );
      const run = await runScenario(suite.lab, { pipeline: pipelineOf(registryToken({ evidence: 'confirmed' })) });
      const { code, message } = errorOf(stageOf(run, 'token'));
      assert.equal(code, 'EVIDENCE_NOT_CONFIRMED');
      assertClear(message);
      for (const phrase of [says, 'The input evidence is "confirmed"', 'Next: Run again'])
        assert.ok(message.includes(phrase), message);
      assertNothingSet(run);
      assert.deepEqual(eventsOf(run, 'main'), [['intent', 'issued', 'failed']]);
      assert.equal(stageOf(run, 'token', 'post').result, 'Succeeded');
    });
  }

  it('and the job is cancelled meanwhile: the ledger says both', async () => {
    let cancel = () => {};
    let uploaded = 0;
    suite.lab.fault(
      'azureDevOps',
      uploads(() => {
        uploaded += 1;
        if (uploaded > 1) return undefined;
        cancel();
        return 'hang';
      }),
    );
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(registryToken({ evidence: 'confirmed' })),
      cancel: (handedOut) => {
        cancel = handedOut;
      },
    });
    assert.equal(stageOf(run, 'token').result, 'Canceled');
    assertNothingSet(run);
    assert.deepEqual(eventsOf(run, 'main'), [['intent', 'issued', 'cancelled']]);
  });
});
