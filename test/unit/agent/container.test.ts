import assert from 'node:assert/strict';
import { runProbe, runTimeoutMilliseconds, says, stepOf } from './fake-extension.ts';

describe('job container', () => {
  it('gives a task other paths to the same files, and takes paths back in commands', async () => {
    const main = `
      import { writeFileSync } from 'node:fs';
      const { AGENT_TEMPDIRECTORY: temp, INPUT_FOLDER: folder, AGENT_PROXYURL: proxy, DEVELOPER: developer } = process.env;
      console.log('paths ' + [temp, folder, process.cwd()].map((path) => path.replace(/^.*\\/container\\//, '/')).join(' '));
      console.log('outside ' + proxy + ' ' + developer + ' ' + process.env.TF_BUILD);
      writeFileSync(temp + '/ledger.json', 'content');
      console.log('##vso[task.addattachment type=t;name=n]' + temp + '/ledger.json');
    `;
    const json = { inputs: [{ name: 'folder', type: 'string', label: 'f' }] };
    const pipeline =
      'steps:\n- task: Probe@1\n  inputs: { folder: $(agent.tempDirectory) }\n- bash: echo "shell ${AGENT_TEMPDIRECTORY##*/container/}"\n';
    const result = await runProbe({
      task: { main, json },
      pipeline,
      container: true,
      agentEnvironment: { DEVELOPER: 'host' },
    });
    const line = (start: string) => result.log.find((candidate) => candidate.startsWith(start));
    assert.match(line('paths ') ?? '', /^paths \/__w\/_temp \/__w\/_temp .*\/1\/s$/);
    assert.equal(line('outside '), 'outside http://127.0.0.1:9 undefined True');
    assert.ok(result.log.includes('shell __w/_temp'));
    assert.deepEqual(
      result.attachments.map(({ content }) => content),
      ['content'],
    );
  });

  it('takes a handler that a signal killed for one that succeeded', async () => {
    const main = "process.kill(process.pid, 'SIGKILL');";
    assert.equal(stepOf(await runProbe({ task: { main }, container: true }), 'main').result, 'Succeeded');
    const onHost = stepOf(await runProbe({ task: { main } }), 'main');
    assert.equal(onHost.result, 'Failed');
    assert.equal(onHost.exitCode, 137);
  });

  it('passes other exit codes on', async () => {
    const step = stepOf(await runProbe({ task: { main: 'process.exit(3);' }, container: true }), 'main');
    assert.equal(step.exitCode, 3);
    assert.equal(step.result, 'Failed');
  });

  it('loses the signals of a cancel: post-job runs while the handler still does', async () => {
    const main =
      "process.on('SIGINT', () => console.log('got SIGINT')); console.log('ready'); setInterval(() => {}, 1000);";
    const result = await runProbe({
      task: { main, post: says('post here') },
      container: true,
      cancel: { afterLog: 'ready' },
    });
    assert.equal(stepOf(result, 'main').result, 'Canceled');
    assert.deepEqual(stepOf(result, 'main').signals, []);
    assert.ok(result.log.includes('post here') && !result.log.includes('got SIGINT'));
    assert.ok(result.orphans.some(({ endedBy }) => endedBy === 'container'));
  });

  it('shows the whole environment with system.debug: only what is registered is masked', async () => {
    const variables = { 'system.debug': 'true', hidden: { value: 'hidden-value', secret: true as const } };
    const { log, leaks } = await runProbe({ task: { main: '' }, container: true, variables });
    assert.ok(log.includes('##[debug]Set env: SECRET_HIDDEN=***'));
    assert.deepEqual(leaks, []);
  });
}).timeout(runTimeoutMilliseconds);
