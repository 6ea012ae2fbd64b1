import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../agent/run-result.ts';
import { skipBecause } from '../requires.ts';
import {
  assertClear,
  assertIssued,
  assertNothingSet,
  assertRequests,
  recordsOf,
  registryToken,
  runSteps,
} from './bad-run.ts';
import { ledgersOf, type Step, scriptStep, warningCodes } from './pipelines.ts';
import { errorOf, labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

/** Fills the temp folder's disk to its last byte, but for so many bytes. */
const fillDisk = (leftBytes: number): Step =>
  scriptStep([
    'cat /dev/zero > "$AGENT_TEMPDIRECTORY/filler" 2>/dev/null',
    `truncate --size=-${leftBytes} "$AGENT_TEMPDIRECTORY/filler"`,
  ]);
const page = 4096;
/** An intent of this purpose fills most of a page, so that no second record has room in it. */
const longPurpose = 'Scan the image. '.repeat(110);

/** Calls back at the first and the last line of a stage of the step under test, before and after its process. */
interface StageHooks {
  readonly stage: 'pre' | 'main';
  readonly starting: (tempFolder: string) => void;
  readonly finishing: (tempFolder: string) => void;
}

describe('a disk that takes no more', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  before(function () {
    const root = mkdtempSync(join(tmpdir(), 'agent-'));
    try {
      execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', root], { stdio: 'ignore' });
      execFileSync('umount', [root]);
    } catch {
      skipBecause(this, 'a disk can be filled only where one may be mounted: run as root');
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  /** Runs steps on an agent whose temp folder is a disk of 16 pages. */
  const runOnSmallDisk = async (steps: readonly Step[], hooks?: StageHooks): Promise<RunResult> => {
    const root = mkdtempSync(join(tmpdir(), 'agent-'));
    const temp = join(root, '_work', '_temp');
    mkdirSync(temp, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${16 * page}`, 'tmpfs', temp]);
    try {
      return await runSteps(suite.lab, steps, { workFolder: root, ...(hooks ? { log: hookLog(temp, hooks) } : {}) });
    } finally {
      execFileSync('umount', [temp]);
      rmSync(root, { recursive: true, force: true });
    }
  };

  it('for the intent: nothing is requested', async () => {
    const run = await runOnSmallDisk([fillDisk(0), registryToken()]);
    assertWriteFailed(run);
    assertRequests(run, {});
    assert.deepEqual(ledgersOf(run), []);
    assert.ok(run.log.includes('##[group]Scoped Token record: failed'), 'the log has the record');
    assert.deepEqual(warningCodes(stageOf(run, 'token', 'post')), []);
  });

  it('for the issued record: the token is not exposed, and the log has its record', async () => {
    const run = await runOnSmallDisk([fillDisk(page), registryToken({ purpose: longPurpose })]);
    assertWriteFailed(run);
    assertRequests(run, { oidc: 1, entra: 1, registry: 2 });
    assert.ok(run.log.includes('##[group]Scoped Token record: issued'), 'the log has the record');
    assert.ok(run.log.some((line) => /^ {2}token +fingerprint [0-9a-f]{16}, expires /.test(line)));
  });

  it('for the issued record: the attached ledger is sound, and nobody is blamed', async () => {
    const run = await runOnSmallDisk([fillDisk(page), registryToken({ purpose: longPurpose })]);
    // The disk is full for the clean-up as well; that is all it says.
    assert.deepEqual(warningCodes(stageOf(run, 'token', 'post')), ['LEDGER_WRITE']);
    assert.deepEqual(
      recordsOf(run).map((record) => record.event),
      ['intent'],
    );
  });

  it('for the clean-up: a warning says so, and the job goes on', async () => {
    const run = await runOnSmallDisk([registryToken(), fillDisk(0)]);
    assertIssued(run);
    const cleanUp = stageOf(run, 'token', 'post');
    assert.equal(cleanUp.result, 'Succeeded');
    assert.deepEqual(warningCodes(cleanUp), ['LEDGER_WRITE']);
    assert.match(cleanUp.issues[0]?.message ?? '', /ENOSPC/);
  });

  it('because it may only be read: one clear error', async () => {
    const remount = (mode: 'ro' | 'rw') => (temp: string) => {
      execFileSync('mount', ['-o', `remount,${mode}`, temp]);
    };
    const run = await runOnSmallDisk([registryToken()], {
      stage: 'main',
      starting: remount('ro'),
      finishing: remount('rw'),
    });
    assertNothingSet(run);
    assertRequests(run, {});
    const { code, message } = errorOf(stageOf(run, 'token'));
    assert.equal(code, 'LEDGER_WRITE');
    assert.match(message, /EROFS/);
    assertClear(message);
  });
});

/** The stages of a step print the same lines, so they are counted: pre-job, main, post-job. */
function hookLog(temp: string, { stage, starting, finishing }: StageHooks): (line: string) => void {
  const wanted = stage === 'pre' ? 1 : 2;
  const seen = { Starting: 0, Finishing: 0 };
  return (line) => {
    const which = /^##\[section\](Starting|Finishing): ScopedToken$/.exec(line)?.[1];
    if (which !== 'Starting' && which !== 'Finishing') return;
    seen[which] += 1;
    if (seen[which] === wanted) (which === 'Starting' ? starting : finishing)(temp);
  };
}

function assertWriteFailed(run: RunResult): void {
  const { code, message } = errorOf(stageOf(run, 'token'));
  assert.equal(code, 'LEDGER_WRITE');
  assertClear(message);
  for (const phrase of ['(ENOSPC)', 'temp folder is full', 'Next: Make room', 'No record, no token']) {
    assert.ok(message.includes(phrase), `${phrase} in: ${message}`);
  }
  assertNothingSet(run);
  assert.equal(stageOf(run, 'token', 'post').result, 'Succeeded');
}
