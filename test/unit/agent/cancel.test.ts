import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess } from '../../agent/process-table.ts';
import { runProcess } from '../../agent/step-process.ts';
import { runProbe, runTimeoutMilliseconds, says, stepOf } from './fake-extension.ts';

const stubborn = `
  process.on('SIGINT', () => console.log('got SIGINT'));
  process.on('SIGTERM', () => console.log('got SIGTERM'));
  setInterval(() => {}, 1000);
  console.log('ready');
`;
// The knobs of the agent, so that the tests need not wait for ten seconds.
const fast = { PROCESS_SIGINT_TIMEOUT: '300', PROCESS_SIGTERM_TIMEOUT: '200' };
const cancel = { afterLog: /^ready$/ };

describe('cancel', () => {
  it('sends SIGINT, SIGTERM and SIGKILL, one after the other, to a step that does not end', async () => {
    const result = await runProbe({ task: { main: stubborn }, variables: fast, cancel });
    const step = stepOf(result, 'main');
    assert.deepEqual(step.signals, ['SIGINT', 'SIGTERM', 'SIGKILL']);
    assert.ok(step.durationMilliseconds >= 500, `${step.durationMilliseconds}`);
    assert.deepEqual(
      result.log.filter((line) => line.startsWith('got ')),
      ['got SIGINT', 'got SIGTERM'],
    );
    assert.equal(step.result, 'Canceled');
    assert.equal(result.result, 'Canceled');
  });

  it('waits 7.5 seconds before SIGTERM unless told otherwise', async () => {
    const main = "process.on('SIGINT', () => {}); setInterval(() => {}, 1000); console.log('ready');";
    const step = stepOf(await runProbe({ task: { main }, cancel }), 'main');
    assert.deepEqual(step.signals, ['SIGINT', 'SIGTERM']);
    assert.ok(step.durationMilliseconds >= 7500 && step.durationMilliseconds < 9500, `${step.durationMilliseconds}`);
  });

  it('takes commands that a step prints on SIGINT, and calls it cancelled whatever it says', async () => {
    const main =
      "process.on('SIGINT', () => { console.log('##vso[task.setvariable variable=late]yes'); console.log('##vso[task.complete result=Succeeded]'); process.exit(0); }); setInterval(() => {}, 1000); console.log('ready');";
    const result = await runProbe({ task: { main }, cancel });
    assert.equal(stepOf(result, 'main').result, 'Canceled');
    assert.deepEqual(stepOf(result, 'main').signals, ['SIGINT']);
    assert.equal(result.variables.find(({ name }) => name === 'late')?.value, 'yes');
    assert.match(result.issues[0]?.message ?? '', /The Operation will be canceled/);
  });

  it('skips later steps but for always() and canceled(), and runs post-job', async () => {
    const pipeline = `
steps:
- task: Probe@1
- bash: echo ready; exec sleep 30
- bash: echo skipped
- bash: echo "always here"
  condition: always()
- bash: echo "canceled here"
  condition: canceled()
`;
    const result = await runProbe({ task: { post: says('post here') }, pipeline, cancel });
    assert.deepEqual(
      result.log.filter((line) => / here$/.test(line) && !line.startsWith('[')),
      ['always here', 'canceled here', 'post here'],
    );
    assert.equal(result.result, 'Canceled');
  });

  it('does not interrupt a step whose condition still holds', async () => {
    const pipeline = 'steps:\n- bash: echo ready; sleep 0.3; echo finished\n  condition: always()\n';
    const result = await runProbe({ pipeline, cancel });
    assert.ok(result.log.includes('finished'));
    assert.equal(result.steps[0]?.result, 'Succeeded');
    assert.equal(result.result, 'Canceled');
  });

  it('can be called by whoever runs the pipeline', async () => {
    let cancelJob = () => {};
    const hook = (take: () => void) => {
      cancelJob = take;
    };
    const log = (line: string) => {
      if (line === 'ready') {
        setImmediate(() => cancelJob());
      }
    };
    const result = await runProbe({ pipeline: 'steps:\n- bash: echo ready; exec sleep 30\n', cancel: hook, log });
    assert.equal(result.result, 'Canceled');
  });

  it('is not what a timeout is: that fails the step', async () => {
    const pipeline = 'steps:\n- bash: exec sleep 30\n  timeoutInMinutes: 0.005\n  retryCountOnTaskFailure: 3\n';
    const [step] = (await runProbe({ pipeline })).steps;
    assert.equal(step?.result, 'Failed');
    assert.equal(step?.tries, 1);
    assert.match(step?.issues[0]?.message ?? '', /The task has timed out/);
  });
}).timeout(runTimeoutMilliseconds);

describe('end of a step', () => {
  it('comes five seconds after the exit where a child holds the pipes, which is a defect', async () => {
    const main =
      "import { spawn } from 'node:child_process'; spawn('sleep', ['20'], { stdio: 'inherit', detached: true }).unref();";
    const result = await runProbe({ task: { main } });
    const step = stepOf(result, 'main');
    assert.equal(step.lingeringPipes, true);
    assert.ok(step.durationMilliseconds >= 5000, `${step.durationMilliseconds}`);
    assert.deepEqual(
      step.survivors.map(({ name }) => name),
      ['sleep'],
    );
    assert.deepEqual(
      result.orphans.map(({ name, endedBy }) => [name, endedBy]),
      [['sleep', 'agent']],
    );
    assert.ok(result.log.some((line) => /^Terminate orphan process: pid \(\d+\) \(sleep\)$/.test(line)));
  });

  it('comes at once where a background process holds no pipes', async () => {
    const main =
      "import { spawn } from 'node:child_process'; spawn('sleep', ['20'], { stdio: 'ignore', detached: true }).unref();";
    const step = stepOf(await runProbe({ task: { main } }), 'main');
    assert.equal(step.lingeringPipes, false);
    assert.ok(step.durationMilliseconds < 4000, `${step.durationMilliseconds}`);
    assert.equal(step.survivors.length, 1);
  });

  it('ends a process that took the lookup id out of its environment, and says that no agent would have', async () => {
    const main =
      "import { spawn } from 'node:child_process'; spawn('sleep', ['20'], { stdio: 'ignore', detached: true, env: {}, cwd: '/' }).unref(); setTimeout(() => {}, 500);";
    const result = await runProbe({ task: { main } });
    assert.deepEqual(
      result.orphans.map(({ name, endedBy }) => [name, endedBy]),
      [['sleep', 'standIn']],
    );
    const [orphan] = result.orphans;
    assert.ok(orphan);
    for (let wait = 0; wait < 100 && readProcess(orphan.pid) !== undefined; wait += 1) {
      await sleep(20);
    }
    assert.equal(readProcess(orphan.pid), undefined);
  });

  it('is not waited for five seconds after done=true; the process runs on, and what it prints is dropped', async () => {
    const main = `${says('##vso[task.complete result=Succeeded;done=true]')} setTimeout(() => { console.log('too late'); }, 5500); setInterval(() => {}, 1000);`;
    const result = await runProbe({ task: { main }, pipeline: 'steps:\n- task: Probe@1\n- bash: sleep 1.5\n' });
    const step = stepOf(result, 'main');
    assert.equal(step.forced, true);
    assert.equal(step.result, 'Succeeded');
    assert.ok(step.durationMilliseconds >= 5000, `${step.durationMilliseconds}`);
    assert.ok(!result.log.includes('too late'));
    assert.equal(step.survivors.length, 1);
  });

  it('gives 128 plus the signal as exit code', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'process-'));
    const outcome = await runProcess({
      file: 'bash',
      args: ['-c', 'kill -TERM $$'],
      cwd: folder,
      environment: { PATH: process.env['PATH'] ?? '' },
      onLine: () => {},
      onStart: () => {},
      cancel: new AbortController().signal,
      forced: new Promise(() => {}),
      sigintMilliseconds: 1,
      sigtermMilliseconds: 1,
      signals: 'delivered',
    });
    rmSync(folder, { recursive: true });
    assert.equal(outcome.exitCode, 143);
  });
}).timeout(runTimeoutMilliseconds);
