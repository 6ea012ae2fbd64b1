import assert from 'node:assert/strict';
import { runProbe, runTimeoutMilliseconds, says, stepOf } from './fake-extension.ts';
import { FakeJobServer } from './fake-job-server.ts';

const tell = (stage: string) => `console.log('${stage} of ' + process.env.SYSTEM_TASKINSTANCENAME);`;
const threeStages = { pre: tell('pre'), main: tell('main'), post: tell('post') };
const told = (log: readonly string[]) => log.filter((line) => /^(pre|main|post) of /.test(line));

describe('stages of a job', () => {
  it('run pre-job in order, then the steps, then post-job in reverse', async () => {
    const pipeline = 'steps:\n- task: Probe@1\n  name: a\n- bash: echo "main of shell"\n- task: Probe@1\n  name: b\n';
    const result = await runProbe({ task: threeStages, pipeline });
    assert.deepEqual(told(result.log), [
      'pre of a',
      'pre of b',
      'main of a',
      'main of shell',
      'main of b',
      'post of b',
      'post of a',
    ]);
    assert.deepEqual(
      result.steps.map(({ displayName }) => displayName),
      [...['Pre-job: Probe', 'Pre-job: Probe', 'Probe', 'CmdLine', 'Probe', 'Post-job: Probe', 'Post-job: Probe']],
    );
    assert.equal(new Set(result.steps.map(({ recordId }) => recordId)).size, 7);
  });

  it('run post-job after a failure and for a main stage that never ran, whose condition pre-job shares', async () => {
    const pipeline = 'steps:\n- bash: exit 1\n- task: Probe@1\n- task: Probe@1\n  name: never\n  condition: failed()\n';
    const result = await runProbe({ task: threeStages, pipeline });
    assert.deepEqual(told(result.log), ['pre of Probe', 'main of never', 'post of never', 'post of Probe']);
    assert.equal(stepOf(result, 'main').result, 'Skipped');
    assert.equal(stepOf(result, 'pre', 'never').result, 'Skipped');
    assert.equal(result.result, 'Failed');
  });

  it('share task variables within one step instance and with nobody else', async () => {
    const task = {
      pre: "console.log('##vso[task.settaskvariable variable=my.state;issecret=true]of-' + process.env.SYSTEM_TASKINSTANCEID);",
      main: "console.log('same ' + (process.env.VSTS_TASKVARIABLE_MY_STATE === 'of-' + process.env.SYSTEM_TASKINSTANCEID));",
      post: "console.log('same ' + (process.env.VSTS_TASKVARIABLE_MY_STATE === 'of-' + process.env.SYSTEM_TASKINSTANCEID));",
    };
    const pipeline =
      'steps:\n- task: Probe@1\n- task: Probe@1\n- bash: env | grep -c TASKVARIABLE\n  continueOnError: true\n';
    const result = await runProbe({ task, pipeline });
    assert.equal(result.log.filter((line) => line === 'same true').length, 4);
    assert.ok(result.log.includes('0'));
    assert.equal(stepOf(result, 'script', 'CmdLine').result, 'SucceededWithIssues');
  });

  it('see the record of the main stage as their instance, and rewritten task-lib keys', async () => {
    const body =
      "import { readFileSync } from 'node:fs'; console.log('instance ' + process.env.SYSTEM_TASKINSTANCEID); try { console.log('key ' + readFileSync(process.env.AGENT_TEMPDIRECTORY + '/.taskkey', 'utf8')); } catch { console.log('no key'); }";
    const result = await runProbe({ task: { pre: body, main: body, post: body } });
    const instances = result.log.filter((line) => line.startsWith('instance '));
    assert.deepEqual(new Set(instances), new Set([`instance ${stepOf(result, 'main').recordId}`]));
    const keys = result.log.filter((line) => /^(no )?key/.test(line));
    assert.equal(keys[0], 'no key');
    assert.equal(new Set(keys).size, 3);
  });

  it('print the header, and sections around the step', async () => {
    const { log } = await runProbe({ task: { main: says('hello') } });
    const start = log.indexOf('##[section]Starting: Probe');
    assert.deepEqual(log.slice(start + 1, start + 7), [
      '='.repeat(78),
      'Task         : Probe task',
      'Description  : Says what it was told',
      'Version      : 1.2.3',
      'Author       : Contoso',
      'Help         : none',
    ]);
    assert.deepEqual(log.slice(start + 8, start + 10), ['hello', '##[section]Finishing: Probe']);
  });

  it('leave out disabled steps, with all their stages', async () => {
    const result = await runProbe({
      task: threeStages,
      pipeline: 'steps:\n- task: Probe@1\n  enabled: false\n- bash: "true"\n',
    });
    assert.deepEqual(
      result.steps.map(({ name }) => name),
      ['CmdLine'],
    );
  });

  it('fail a step whose condition cannot be read, and go on', async () => {
    const pipeline = 'steps:\n- bash: echo never\n  condition: nope()\n- bash: echo reached\n  condition: failed()\n';
    const result = await runProbe({ pipeline });
    assert.deepEqual(
      result.steps.map((step) => step.result),
      ['Failed', 'Succeeded'],
    );
    assert.ok(result.log.includes('reached') && !result.log.includes('never'));
  });

  it('skip what names a connection in a pull request from a fork, and give it no secret variables', async () => {
    const json = { inputs: [{ name: 'c', type: 'connectedService:AzureRM', label: 'c' }] };
    const pipeline = 'steps:\n- task: Probe@1\n  inputs: { c: production }\n- task: Probe@1\n';
    const main = "console.log('secret ' + process.env.SECRET_MINE);";
    const options = {
      task: { main, json },
      pipeline,
      variables: { mine: { value: 'my-secret', secret: true as const } },
    };
    const fork = await runProbe({ ...options, forkPullRequest: true });
    assert.deepEqual(
      fork.steps.map((step) => step.result),
      ['Skipped', 'Succeeded'],
    );
    assert.ok(fork.log.includes('secret undefined'));
    assert.deepEqual(
      (await runProbe(options)).steps.map((step) => step.result),
      ['Succeeded', 'Succeeded'],
    );
  });
}).timeout(runTimeoutMilliseconds);

describe('retries', () => {
  const counting = (last: string) => `
    const tries = Number(process.env.VSTS_TASKVARIABLE_TRIES ?? 0) + 1;
    console.log('try ' + tries);
    console.log('##vso[task.settaskvariable variable=tries]' + tries);
    if (tries === 1) { console.log('##vso[task.complete result=Failed]no'); } else { ${last} }
  `;

  it('run a failed handler again, in the same record, with what it had set', async () => {
    const server = new FakeJobServer();
    const pipeline = 'steps:\n- task: Probe@1\n  retryCountOnTaskFailure: 2\n';
    const result = await runProbe({ task: { main: counting('') }, pipeline, server });
    const step = stepOf(result, 'main');
    assert.deepEqual(
      result.log.filter((line) => line.startsWith('try ')),
      ['try 1', 'try 2'],
    );
    assert.equal(step.tries, 2);
    assert.equal(step.result, 'Succeeded');
    assert.match(step.issues[0]?.message ?? '', /RetryHelper encountered task failure, will retry/);
  });

  it('give up after the last one', async () => {
    const pipeline = 'steps:\n- bash: exit 4\n  retryCountOnTaskFailure: 1\n';
    const [step] = (await runProbe({ pipeline })).steps;
    assert.equal(step?.tries, 2);
    assert.equal(step?.result, 'Failed');
    assert.equal(step?.exitCode, 4);
  });
}).timeout(runTimeoutMilliseconds);
