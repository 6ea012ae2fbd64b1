import assert from 'node:assert/strict';
import { readRecords, verifyLedger } from '../../src/audit/ledger.ts';
import type { RunResult, StepResult } from '../agent/run-result.ts';
import { requireDebian } from '../requires.ts';
import type { StoredAttachment } from '../servers/attachments.ts';
import type { FaultOutcome } from '../servers/faults.ts';
import {
  headsOf,
  pipelineOf,
  printed,
  registryStep,
  type Step,
  scriptStep,
  storageStep,
  variablesSet,
  warningCodes,
} from './pipelines.ts';
import { errorOf, labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const restricted = { target: { commands: 'restricted' } };
const isOurs = (code: string): boolean => /^[A-Z_]+$/.test(code);

const ledgerFile = '"$AGENT_TEMPDIRECTORY"/scoped-token-*-main.jsonl';

/** What somebody could do who knows docs/audit.md: change a record, and compute the chain from there on. */
const rewriteLedger = `
  const { createHash } = require('node:crypto');
  const { readFileSync, writeFileSync } = require('node:fs');
  let hash;
  const lines = readFileSync(process.argv[1], 'utf8').trimEnd().split('\\n').map((line) => {
    let body = line.slice(0, line.lastIndexOf(',"hash":')).replace('nightly report', 'nightly deploy');
    if (hash) body = body.replace(/"prev":"[0-9a-f]{64}"$/, '"prev":"' + hash + '"');
    hash = createHash('sha256').update(body + '}').digest('hex');
    return body + ',"hash":"' + hash + '"}';
  });
  writeFileSync(process.argv[1], lines.join('\\n') + '\\n');
`;

const useIt: Step = scriptStep(
  `printf 'url = "https://contosodata.blob.core.windows.net/logs/app.json?%s"\\n' "$SAS" | curl --fail --silent --config - | sed 's/^/content: /'; echo`,
  { SAS: '$(STORAGE_SAS)' },
);

describe('handing over the evidence', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  before(function () {
    requireDebian(this, 'curl');
  });
  const suite = labForSuite();

  const storedOf = (run: RunResult): readonly StoredAttachment[] =>
    suite.lab.azureDevOps.attachments.all().filter(({ planId }) => planId === run.ids.planId);

  /** Own warnings of main and post. */
  const ownWarnings = (...steps: readonly StepResult[]): readonly string[] =>
    steps.flatMap(warningCodes).filter(isOurs);

  it('confirmed: is put by REST, and accepted, before the variable is set', async () => {
    const log: string[] = [];
    const setBefore: boolean[] = [];
    suite.lab.fault('azureDevOps', ({ method }) => {
      if (method === 'PUT') setBefore.push(log.some((line) => line.includes('setvariable variable=STORAGE_SAS')));
      return undefined;
    });
    const run = await runScenario(suite.lab, {
      variables: { 'system.debug': 'true' },
      log: (line) => log.push(line),
      pipeline: pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs', evidence: 'confirmed' }), useIt),
    });
    assert.equal(run.result, 'Succeeded');
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    // main's ledger, then the final one and the summary
    assert.deepEqual(setBefore, [false, true, true]);
    const stored = storedOf(run);
    assert.deepEqual(
      stored.map(({ type, source }) => [type, source]),
      [
        ['scoped-token.ledger', 'rest'],
        ['scoped-token.ledger', 'rest'],
        ['Distributedtask.Core.Summary', 'rest'],
      ],
    );
    const [main, final] = stored;
    assert.match(main?.name ?? '', /-main\.jsonl$/);
    assert.deepEqual(
      [main, final].map((one) => verifyLedger(one?.content ?? '').head),
      headsOf(run),
    );
    assert.deepEqual(ownWarnings(stageOf(run, 'logs'), stageOf(run, 'logs', 'post')), []);
  });

  const refusals: readonly [name: string, requests: number, outcome: FaultOutcome][] = [
    ['403', Number.POSITIVE_INFINITY, { status: 403, body: '{"message":"TF400813: not authorized"}' }],
    // as often as a request is repeated: the post-job stage finds the server well again
    ['500', 4, { status: 500, body: 'Internal server error' }],
  ];
  for (const [name, requests, outcome] of refusals) {
    it(`confirmed: a server that answers ${name} gets no token into the job`, async () => {
      let refused = 0;
      suite.lab.fault('azureDevOps', ({ method }) => {
        if (method !== 'PUT' || refused >= requests) return undefined;
        refused += 1;
        return outcome;
      });
      const run = await runScenario(suite.lab, {
        pipeline: pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs', evidence: 'confirmed' })),
      });
      const { code, message } = errorOf(stageOf(run, 'logs'));
      assert.equal(code, 'EVIDENCE_NOT_CONFIRMED');
      assert.match(message, new RegExp(`HTTP ${name}`));
      assert.deepEqual(variablesSet(run), []);
      // The record of what was issued all the same reaches the run.
      const final = storedOf(run).find((stored) => stored.name.endsWith('-final.jsonl'));
      assert.equal(final?.source, requests === 4 ? 'rest' : 'agent');
      assert.deepEqual(
        readRecords(final.content).records.map(({ event, outcome }) => `${event} ${outcome.code}`),
        ['intent OK', 'issued OK', 'failed EVIDENCE_NOT_CONFIRMED', 'notRevocable OK'],
      );
      const post = stageOf(run, 'logs', 'post');
      assert.equal(post.result, 'Succeeded');
      const warnings = requests === 4 ? [] : ['EVIDENCE_NOT_CONFIRMED'];
      assert.deepEqual(ownWarnings(post), warnings);
    });
  }

  it('restricted commands: the token works, and one warning says that evidence is missing', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs' }, restricted), useIt),
    });
    const [main, post] = [stageOf(run, 'logs'), stageOf(run, 'logs', 'post')];
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual([main.result, post.result], ['Succeeded', 'Succeeded']);
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    assert.deepEqual(ownWarnings(main, post), ['EVIDENCE_MISSING']);
    assert.deepEqual(storedOf(run), []);
    assert.equal(headsOf(run).length, 2, 'the log has the heads');
  });

  it('restricted commands and confirmed: the evidence is there, and nothing is warned about', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'read on logs', evidence: 'confirmed' }, restricted),
        useIt,
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    assert.deepEqual(run.issues, []);
    assert.equal(storedOf(run).length, 3);
  });

  const edits: readonly [what: string, step: Step][] = [
    ['edited', scriptStep(`sed -i "s/nightly report/nightly deploy/" ${ledgerFile}`)],
    ['edited, and chained anew', scriptStep(`node --eval "$REWRITE" ${ledgerFile}`, { REWRITE: rewriteLedger })],
    ['cut', scriptStep(`sed -i '$d' ${ledgerFile}`)],
    ['removed', scriptStep(`rm ${ledgerFile}`)],
    ['replaced by a pipe', scriptStep(`file=$(echo ${ledgerFile}); rm "$file" && mkfifo "$file"`)],
  ];
  for (const [what, step] of edits) {
    it(`a ledger that a later step ${what} is not extended; the job goes on`, async () => {
      const run = await runScenario(suite.lab, {
        pipeline: pipelineOf(
          storageStep({ name: 'logs', scopes: 'read on logs', purpose: 'nightly report', evidence: 'confirmed' }),
          step,
        ),
      });
      const post = stageOf(run, 'logs', 'post');
      assert.equal(run.result, 'Succeeded');
      assert.equal(post.result, 'Succeeded');
      assert.deepEqual(ownWarnings(post), ['LEDGER_TAMPERED']);
      const [mainHead, ...others] = headsOf(run);
      assert.deepEqual(others, []);
      assert.match(post.issues[0]?.message ?? '', new RegExp(`head ${mainHead}`));
      assert.match(post.issues[0]?.message ?? '', /was not extended/);
      // What the server has from the main stage is as it was written.
      const stored = storedOf(run);
      assert.deepEqual(
        stored.map(({ content }) => verifyLedger(content, { head: mainHead }).state),
        ['consistent'],
      );
    });
  }

  it('a token that has run out by the end of the job is recorded so', async () => {
    const { registry } = suite.lab;
    const usual = registry.accessLifetimeSeconds;
    registry.accessLifetimeSeconds = 2;
    try {
      const run = await runScenario(suite.lab, {
        pipeline: pipelineOf(
          registryStep({ name: 'image', scopes: 'pull on team/app', evidence: 'confirmed' }),
          // Times are known to the second, by either clock: one more than the two it lives.
          scriptStep('sleep 4'),
        ),
      });
      const final = storedOf(run).find(({ name }) => name.endsWith('-final.jsonl'));
      assert.deepEqual(
        readRecords(final?.content ?? '').records.map(({ event }) => event),
        ['intent', 'issued', 'expired'],
      );
    } finally {
      registry.accessLifetimeSeconds = usual;
    }
  });
});
