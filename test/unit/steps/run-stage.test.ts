import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChild } from '../io/child.ts';
import { agentEnvironment } from '../pipeline/agent-process.ts';

describe('a stage in the real world', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scoped-token-stage-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const run = async (work: string, refused = '[]', onOutput?: Parameters<typeof runChild>[1]) => {
    const script = `import { runStage } from './src/steps/run-stage.ts';
      import { ScopedTokenError } from './src/errors.ts';
      setInterval(() => undefined, 1000);
      await runStage(async (stage) => { ${work} }, ${refused});`;
    const environment = { ...agentEnvironment, AGENT_TEMPDIRECTORY: folder };
    const result = await runChild(script, { environment, ...onOutput });
    const lines = result.stdout.split('\n').filter((line) => line !== '');
    return {
      ...result,
      lines: lines.filter((line) => !line.startsWith('##vso[task.debug]')),
      debug: lines.filter((line) => line.startsWith('##vso[task.debug]')),
    };
  };

  it('ends as succeeded, and the process with it', async () => {
    const { lines, status } = await run(
      `stage.pipeline.info('working ' + stage.refusedVariables.join());`,
      '["NODE_OPTIONS"]',
    );
    assert.deepEqual(lines, ['working NODE_OPTIONS', '##vso[task.complete result=Succeeded;]']);
    assert.equal(status, 0);
  });

  it('ends as failed with one error, its causes for debugging only', async () => {
    const { lines, debug, status } = await run(
      `throw new ScopedTokenError('NETWORK_FAILED', { happened: 'A.', next: 'B.' }, { cause: new Error('private detail') });`,
    );
    assert.deepEqual(lines, [
      '##vso[task.logissue type=error;code=NETWORK_FAILED;]NETWORK_FAILED: A.%0ANext: B.',
      '##vso[task.complete result=Failed;]NETWORK_FAILED',
    ]);
    assert.ok(debug.some((line) => line.includes('private detail')));
    assert.equal(status, 0, 'the agent reads the result, not the exit code');
  });

  it('ends as failed with INTERNAL for what nobody knows', async () => {
    const { lines, debug } = await run(`throw new TypeError('private detail');`);
    assert.equal(lines.length, 2);
    assert.match(
      lines[0] ?? '',
      /code=INTERNAL;\]INTERNAL: The task failed in a way that it does not know \(TypeError\)/,
    );
    assert.ok(!lines.join().includes('private detail'));
    assert.ok(debug.some((line) => line.includes('private detail')));
  });

  it('ends as cancelled work does, when the agent interrupts it', async () => {
    const { lines } = await run(`stage.pipeline.info('ready'); await stage.io.clock.sleep(600000);`, '[]', {
      onOutput: (text, child) => {
        if (text.includes('ready')) child.kill('SIGINT');
      },
    });
    assert.match(lines[1] ?? '', /code=CANCELLED;\]CANCELLED: /);
    assert.equal(lines.at(-1), '##vso[task.complete result=Failed;]CANCELLED');
  });
});
