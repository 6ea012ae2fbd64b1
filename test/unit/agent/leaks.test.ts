import assert from 'node:assert/strict';
import { type FakeTask, type Probe, runProbe, runTimeoutMilliseconds, says } from './fake-extension.ts';
import { FakeJobServer } from './fake-job-server.ts';

// Issued by a server and never registered: nothing masks it.
const issued = 'issued-token-77aa31';
const registered = 'registered-secret-42';

async function leaksOf(task: FakeTask, options: Probe = {}): Promise<string[]> {
  const server = new FakeJobServer();
  server.issued.push({ kind: 'registryToken', value: issued });
  const result = await runProbe({ task, server, ...options });
  assert.equal(result.ok, result.leaks.length === 0);
  assert.ok(!JSON.stringify(result.leaks).includes(issued) && !JSON.stringify(result.leaks).includes(registered));
  return result.leaks.map(({ where, kind, form }) => `${kind} ${form} in ${where}`);
}

const register = `##vso[task.setsecret]${registered}`;
const writeFile = (path: string, text: string) =>
  `import { writeFileSync } from 'node:fs'; writeFileSync(process.env.AGENT_TEMPDIRECTORY + '/${path}', '${text}');`;

describe('a planted leak is found', () => {
  const planted: [place: string, task: FakeTask, expected: RegExp][] = [
    ['the log', { main: says(`it is ${issued}`) }, /^registryToken raw in log line \d+$/],
    [
      'the log, as base64 of a registered value',
      { main: says(register, Buffer.from(registered).toString('base64')) },
      /^setsecret base64 in log line \d+$/,
    ],
    ['an issue', { main: says(`##vso[task.issue type=warning]${issued}`) }, /in issue of step Probe \(main\)$/],
    [
      'a property of an issue',
      { main: says(register, `##vso[task.issue type=warning;code=${registered}]x`) },
      /in issue property of step Probe/,
    ],
    [
      'the text of task.complete',
      { main: says(register, `##vso[task.complete result=Succeeded]${registered}`) },
      /in progress text of step Probe/,
    ],
    [
      'the text of task.setprogress',
      { main: says(register, `##vso[task.setprogress value=5]${registered}`) },
      /in progress text of step Probe/,
    ],
    [
      'a detail record',
      {
        main: says(
          register,
          `##vso[task.logdetail id=3f2504e0-4f89-41d3-9a0c-0305e82c3301;name=n;type=t]${registered}`,
        ),
      },
      /in progress text of step Probe/,
    ],
    [
      'a variable that is not secret',
      { main: says(register, `##vso[task.setvariable variable=a]x${registered}`) },
      /in variable a$/,
    ],
    [
      'a variable that got another value later',
      { main: says(`##vso[task.setvariable variable=a]${issued}`, '##vso[task.setvariable variable=a]x') },
      /in variable a$/,
    ],
    [
      'an output variable',
      { main: says(`##vso[task.setvariable variable=a;isoutput=true]${issued}`) },
      /in output variable a of step Probe/,
    ],
    [
      'a task variable that is not secret',
      { main: says(`##vso[task.settaskvariable variable=a]${issued}`) },
      /in task variable a$/,
    ],
    ['a build tag', { main: says(register, `##vso[build.addbuildtag]${registered}`) }, /in build\.addbuildtag$/],
    [
      'an attachment',
      {
        main: `${writeFile('a.json', issued)} console.log('##vso[task.addattachment type=t;name=n]' + process.env.AGENT_TEMPDIRECTORY + '/a.json');`,
      },
      /in attachment t\/n of step Probe$/,
    ],
    [
      'a summary',
      {
        main: `${writeFile('s.md', issued)} console.log('##vso[task.uploadsummary]' + process.env.AGENT_TEMPDIRECTORY + '/s.md');`,
      },
      /in attachment Distributedtask\.Core\.Summary\/s\.md/,
    ],
    [
      'an artifact',
      {
        main: `${writeFile('a.bin', issued)} console.log('##vso[artifact.upload artifactname=a]' + process.env.AGENT_TEMPDIRECTORY + '/a.bin');`,
      },
      /in artifact\.upload content$/,
    ],
    ['a file that was left', { main: writeFile('left.txt', issued) }, /in file _work\/_temp\/left\.txt$/],
    ['the name of a file', { main: writeFile(issued, 'x') }, /in name of a file that was left$/],
    [
      'a file at home',
      { main: `import { writeFileSync } from 'node:fs'; writeFileSync(process.env.HOME + '/.netrc', '${issued}');` },
      /in file home\/\.netrc$/,
    ],
    [
      'the folder of the task',
      {
        main: `import { chmodSync, writeFileSync } from 'node:fs'; chmodSync(import.meta.dirname, 0o755); writeFileSync(import.meta.dirname + '/x', '${issued}');`,
      },
      /in file _work\/_tasks\/Probe/,
    ],
    [
      'the arguments of a process that outlives its step',
      {
        main: `import { spawn } from 'node:child_process'; spawn(process.execPath, ['-e', 'setTimeout(() => {}, 20000)', '${issued}'], { stdio: 'ignore', detached: true }).unref();`,
      },
      /in arguments of process \d+ \(node\) that outlives step Probe \(main\)$/,
    ],
    [
      'the environment of a process that outlives its step',
      {
        main: `import { spawn } from 'node:child_process'; spawn('sleep', ['20'], { stdio: 'ignore', detached: true, env: { PATH: process.env.PATH, T: '${issued}', VSTS_PROCESS_LOOKUP_ID: process.env.VSTS_PROCESS_LOOKUP_ID } }).unref();`,
      },
      /in environment of process \d+ \(sleep\) that outlives step Probe \(main\)$/,
    ],
  ];
  for (const [place, task, expected] of planted) {
    it(`in ${place}`, async () => {
      const leaks = await leaksOf(task);
      assert.ok(
        leaks.some((leak) => expected.test(leak)),
        `found: ${leaks.join('; ')}`,
      );
    });
  }

  it('in the display name of a step', async () => {
    const variables = { hidden: { value: registered, secret: true as const } };
    const leaks = await leaksOf(
      { main: '' },
      { variables, pipeline: 'steps:\n- task: Probe@1\n  displayName: with $(hidden)\n' },
    );
    assert.ok(leaks.includes('variable hidden raw in display name of step Probe (main)'), leaks.join('; '));
  });

  it('in the script file, where a macro put a secret into it', async () => {
    const variables = { hidden: { value: registered, secret: true as const } };
    const leaks = await leaksOf({ main: '' }, { variables, pipeline: 'steps:\n- bash: "true $(hidden)"\n' });
    assert.match(leaks[0] ?? '', /in file _work\/_temp\/[0-9a-f-]+\.sh$/);
  });

  it('of the job token, the proxy password and a secret task variable', async () => {
    const server = new FakeJobServer();
    const base64 = (text: string) => Buffer.from(`x:${text}`).toString('base64');
    const main = says(
      base64(server.accessToken),
      base64(server.proxy.password),
      '##vso[task.settaskvariable variable=s;issecret=true]state-state-1',
      base64('state-state-1'),
    );
    const kinds = (await leaksOf({ main })).map((leak) => leak.split(' in ')[0]);
    assert.deepEqual(kinds.sort(), ['jobToken base64', 'task variable of Probe base64', 'variable base64']);
  });
}).timeout(runTimeoutMilliseconds);

describe('no leak is found', () => {
  const clean: [what: string, task: FakeTask, options?: Probe][] = [
    ['where the log is masked', { main: says(register, `it is ${registered}`) }],
    [
      'in a secret variable and a secret output',
      {
        main: says(
          `##vso[task.setvariable variable=a;issecret=true]${registered}`,
          `##vso[task.setvariable variable=b;issecret=true;isoutput=true]${registered}`,
        ),
      },
    ],
    [
      'in the environment of a step while it runs',
      {
        main: `import { execFileSync } from 'node:child_process'; execFileSync('sleep', ['0.4'], { env: { ...process.env, T: '${issued}' } });`,
      },
    ],
    [
      'in a background process without secrets',
      {
        main: "import { spawn } from 'node:child_process'; spawn('sleep', ['20'], { stdio: 'ignore', detached: true, env: { VSTS_PROCESS_LOOKUP_ID: process.env.VSTS_PROCESS_LOOKUP_ID, PATH: process.env.PATH } }).unref();",
      },
    ],
    [
      'in a file that post-job removed',
      {
        main: writeFile('left.txt', issued),
        post: "import { rmSync } from 'node:fs'; rmSync(process.env.AGENT_TEMPDIRECTORY + '/left.txt');",
      },
    ],
    [
      'in a file that the caller allows',
      { main: writeFile('key.pem', issued) },
      { allowSecretFiles: ['_work/_temp/*.pem'] },
    ],
    [
      'of a client id, which is masked but no secret',
      { main: "console.log('##vso[task.setvariable variable=client]' + '7c9e6679-7425-40de-944b-e07fc1f90ae7');" },
    ],
  ];
  for (const [what, task, options] of clean) {
    it(what, async () => {
      assert.deepEqual(await leaksOf(task, options), []);
    });
  }
}).timeout(runTimeoutMilliseconds);

describe('a run is not ok', () => {
  it('when a host was refused during it, not before it', async () => {
    const server = new FakeJobServer();
    server.refused.push('before.example');
    const log = (line: string) => {
      if (line === 'asks') {
        server.refused.push('unmapped.example');
      }
    };
    const result = await runProbe({ task: { main: says('asks') }, server, log });
    assert.deepEqual(result.refusedHosts, ['unmapped.example']);
    assert.equal(result.ok, false);
    assert.equal((await runProbe({ task: { main: '' }, server })).ok, true);
  });
}).timeout(runTimeoutMilliseconds);
