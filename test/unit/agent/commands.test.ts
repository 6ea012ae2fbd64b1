import assert from 'node:assert/strict';
import { connectionId, type FakeTask, runProbe, runTimeoutMilliseconds, says, stepOf } from './fake-extension.ts';

const one = async (...lines: string[]) => {
  const result = await runProbe({ task: { main: says(...lines) } });
  return { result, step: stepOf(result, 'main') };
};
const variableOf = (result: Awaited<ReturnType<typeof runProbe>>, name: string) =>
  result.variables.find((variable) => variable.name === name);

describe('commands of a step', () => {
  it('take the line out of the log, with what stood before the command', async () => {
    const { result } = await one('before ##vso[task.setvariable variable=a]x', 'plain');
    assert.ok(result.log.includes('plain'));
    assert.deepEqual(
      result.log.filter((line) => line.includes('before')),
      [],
    );
    assert.deepEqual(variableOf(result, 'a'), { name: 'a', secret: false, value: 'x', setBy: 'Probe' });
  });

  it('work on standard error too, which does not fail the step', async () => {
    const main = "process.stderr.write('##vso[task.setvariable variable=a]x\\nwords\\n');";
    const result = await runProbe({ task: { main } });
    assert.equal(variableOf(result, 'a')?.value, 'x');
    assert.ok(result.log.includes('words'));
    assert.equal(result.result, 'Succeeded');
  });

  it('are taken from standard error first within a batch: the worst case for a secret', async () => {
    const main =
      "process.stdout.write('##vso[task.setsecret]tell-nobody-1\\n'); process.stderr.write('tell-nobody-1\\n');";
    const result = await runProbe({ task: { main } });
    assert.ok(result.log.includes('tell-nobody-1'));
    assert.equal(result.ok, false);
  });

  it('warn where the text is no command, and where the area is unknown', async () => {
    const { result, step } = await one('##vso[task', '##vso[nowhere.event]x');
    assert.equal(step.result, 'Succeeded');
    assert.ok(result.log.includes('##vso[task'));
    assert.deepEqual(
      step.issues.map(({ type }) => type),
      ['warning', 'warning'],
    );
    assert.match(step.issues[1]?.message ?? '', /Cannot find command extension for ##vso\[nowhere\.command\]/);
  });

  const failing: [name: string, line: string][] = [
    ['an unknown event of a known area', '##vso[task.nothing]x'],
    ['a variable without a name', '##vso[task.setvariable]x'],
    ['the result Cancelled', '##vso[task.complete result=Cancelled]x'],
    ['an issue of another type', '##vso[task.issue type=note]x'],
    ['a secret of several lines', '##vso[task.setvariable variable=a;issecret=true]x%0Ay'],
    ['an attachment that is not there', '##vso[task.addattachment type=t;name=n]/nowhere/at/all'],
    ['an attachment with a slash in its name', '##vso[task.addattachment type=t;name=a/b]/etc/hostname'],
    ['a detail record without type', '##vso[task.logdetail id=3f2504e0-4f89-41d3-9a0c-0305e82c3301;name=x]y'],
    ['a connection that is not of the job', `##vso[task.setendpoint id=${connectionId};field=url]https://a.example`],
  ];
  for (const [name, line] of failing) {
    it(`fail the step for ${name}`, async () => {
      const { step } = await one(line);
      assert.equal(step.result, 'Failed');
      assert.match(step.issues[0]?.message ?? '', /^Unable to process command/);
      assert.equal(step.exitCode, 0);
    });
  }

  it('keep at most ten errors and ten warnings as issues; the log has all, and an error alone fails nothing', async () => {
    const lines = Array.from({ length: 12 }, (_, index) => [
      `##vso[task.logissue type=error;code=E${index}]e${index}`,
      `##vso[task.issue type=warning]w${index}`,
    ]);
    const { result, step } = await one(...lines.flat());
    assert.equal(step.result, 'Succeeded');
    assert.equal(step.issues.length, 20);
    assert.equal(step.issues[0]?.code, 'E0');
    assert.ok(result.log.includes('##[error]e11'));
    assert.ok(result.log.includes('##[warning]w11'));
  });

  it('put the place before an issue that has one', async () => {
    const { step } = await one(
      '##vso[task.issue type=error;sourcepath=a.cs;linenumber=13;columnnumber=18;code=CS1002]; expected',
    );
    assert.equal(step.issues[0]?.message, 'a.cs(13,18): error CS1002: ; expected');
  });

  it('merge results, and let the exit code have the last word', async () => {
    const { step } = await one(
      '##vso[task.complete result=SucceededWithIssues]',
      '##vso[task.complete result=Succeeded]',
    );
    assert.equal(step.result, 'SucceededWithIssues');
    const exits = await runProbe({
      task: { main: `${says('##vso[task.complete result=Succeeded]')} process.exitCode = 3;` },
    });
    assert.equal(stepOf(exits, 'main').result, 'Failed');
    assert.equal(stepOf(exits, 'main').exitCode, 3);
    assert.match(exits.issues[0]?.message ?? '', /^Exit code 3 returned from process/);
  });

  it('show debug lines only when system.debug is true', async () => {
    const task = { main: says('##vso[task.debug]inside') };
    assert.ok(!(await runProbe({ task })).log.includes('##[debug]inside'));
    assert.ok((await runProbe({ task, variables: { 'system.debug': 'true' } })).log.includes('##[debug]inside'));
  });

  it('of the area build fail outside a build', async () => {
    const task = { main: says('##vso[build.addbuildtag]x') };
    assert.equal((await runProbe({ task })).result, 'Succeeded');
    const release = await runProbe({ task, hostType: 'release' });
    assert.equal(release.result, 'Failed');
    assert.match(release.issues[0]?.message ?? '', /build commands are not supported for release flow/);
  });

  it('change a connection for the rest of the job, but not the system connection', async () => {
    const id = connectionId;
    const pipeline = `
steps:
- bash: |
    echo "##vso[task.setendpoint id=${id};field=authParameter;key=tenantid]other-tenant"
    echo "##vso[task.setendpoint id=${id};field=url]https://other.example/"
    echo "##vso[task.setendpoint id=00000000-0000-0000-0000-000000000000;field=url]https://other.example/"
- task: Probe@1
  inputs: { connection: production }
`;
    const main = `console.log('now ' + process.env['ENDPOINT_URL_${id}'] + ' ' + process.env['ENDPOINT_AUTH_PARAMETER_${id}_TENANTID'].length + ' ' + process.env.ENDPOINT_URL_SYSTEMVSSCONNECTION);`;
    const json = { inputs: [{ name: 'connection', type: 'connectedService:AzureRM', label: 'c' }] };
    const result = await runProbe({ task: { main, json }, pipeline });
    assert.ok(
      result.log.includes('now https://other.example/ 12 https://dev.azure.com/contoso/'),
      result.log.join('\n'),
    );
    assert.match(result.issues[0]?.message ?? '', /Modification of system endpoint/);
  });
}).timeout(runTimeoutMilliseconds);

describe('variables set by commands', () => {
  const outputs: FakeTask['json'] = { outputVariables: [{ name: 'declared', description: 'd' }] };

  it('are named after the step where they are outputs, declared or flagged, and then have no plain name', async () => {
    const pipeline =
      'steps:\n- task: Probe@1\n  name: first\n- bash: echo "$(first.declared)/$(first.flagged)/$(declared)/$FIRST_FLAGGED"\n';
    const main = says(
      '##vso[task.setvariable variable=declared]1',
      '##vso[task.setvariable variable=flagged;isoutput=true]2',
    );
    const result = await runProbe({ task: { main, json: outputs }, pipeline });
    assert.deepEqual(stepOf(result, 'main', 'first').outputVariables, [
      { name: 'declared', secret: false, value: '1' },
      { name: 'flagged', secret: false, value: '2' },
    ]);
    assert.ok(result.log.includes('1/2//2'), result.log.join('\n'));
    assert.equal(variableOf(result, 'declared'), undefined);
  });

  it('stay secret, and are masked from then on', async () => {
    const pipeline =
      'steps:\n- task: Probe@1\n- bash: |\n    echo "##vso[task.setvariable variable=token]second-value"\n    sleep 0.1\n    echo "got second-value and first-value"\n';
    const result = await runProbe({
      task: { main: says('##vso[task.setvariable variable=token;issecret=true]first-value') },
      pipeline,
    });
    assert.deepEqual(variableOf(result, 'token'), { name: 'token', secret: true, setBy: 'CmdLine' });
    assert.ok(result.log.includes('got *** and ***'), result.log.join('\n'));
  });

  it('warn when they overwrite a read-only one, and do it; with agent.readOnlyVariables the step fails', async () => {
    const task = { main: says('##vso[task.setvariable variable=agent.tempDirectory]/tmp/elsewhere') };
    const lenient = await runProbe({ task });
    assert.equal(lenient.result, 'Succeeded');
    assert.match(lenient.issues[0]?.message ?? '', /Overwriting readonly variable/);
    assert.equal(variableOf(lenient, 'agent.tempDirectory')?.value, '/tmp/elsewhere');
    const strict = await runProbe({ task, variables: { 'agent.readOnlyVariables': 'true' } });
    assert.equal(strict.result, 'Failed');
    assert.notEqual(variableOf(strict, 'agent.tempDirectory')?.value, '/tmp/elsewhere');
  });

  it('may be listed by task and step: both must allow, without case', async () => {
    const json = { restrictions: { settableVariables: { allowed: ['my*', 'other'] } } };
    const names = ['myThing', 'MYVAR', 'other', 'neither', 'myStuff'];
    const main = says(
      ...names.map((name) => `##vso[task.setvariable variable=${name}]x`),
      '##vso[task.prependpath]/a',
      '##vso[task.settaskvariable variable=free]x',
    );
    const pipeline = 'steps:\n- task: Probe@1\n  target: { settableVariables: [MyThing, myv?r, other2] }\n';
    const result = await runProbe({ task: { main, json }, pipeline });
    assert.deepEqual(
      names.filter((name) => variableOf(result, name) !== undefined),
      ['myThing', 'MYVAR'],
    );
    assert.equal(result.issues.length, 4);
    assert.match(result.issues[3]?.message ?? '', /Setting variable 'PATH' has been disabled/);
    assert.equal(result.result, 'Succeeded');
  });

  it('none at all where the step says none, and a secret that may not be set is found in the log', async () => {
    const pipeline = 'steps:\n- task: Probe@1\n  target: { settableVariables: none }\n';
    const main = says('##vso[task.setvariable variable=a;issecret=true]secret%AZP25value', 'here: secret%value');
    const result = await runProbe({ task: { main }, pipeline });
    assert.equal(variableOf(result, 'a'), undefined);
    assert.equal(result.leaks[0]?.kind, 'variable a');
  });
}).timeout(runTimeoutMilliseconds);

describe('restricted mode', () => {
  const lines = [
    '##vso[task.uploadsummary]/etc/hostname',
    '##vso[build.addbuildtag]x',
    '##vso[artifact.upload artifactname=a]/etc/hostname',
    '##vso[task.setvariable variable=a]x',
    '##vso[task.setsecret]some-secret',
    '##vso[telemetry.publish area=a;feature=b]{}',
  ];
  const check = async (json: FakeTask['json'], pipeline: string) => {
    const result = await runProbe({
      task: { main: says(...lines), ...(json === undefined ? {} : { json }) },
      pipeline,
    });
    assert.equal(result.result, 'Succeeded');
    assert.equal(result.issues.length, 3);
    assert.match(result.issues[0]?.message ?? '', /##vso\[task\.uploadsummary\] is not allowed in this step/);
    assert.deepEqual(result.summary, []);
    assert.equal(variableOf(result, 'a')?.value, 'x');
  };

  it('of task.json blocks summaries, build and artifact commands with a warning', async () => {
    await check({ restrictions: { commands: { mode: 'restricted' } } }, 'steps:\n- task: Probe@1\n');
  });

  it('of the step does the same', async () => {
    await check(undefined, 'steps:\n- task: Probe@1\n  target: { commands: restricted }\n');
  });
}).timeout(runTimeoutMilliseconds);
