import assert from 'node:assert/strict';
import { assertRefused, registryToken, runSteps, type StepOptions, storageToken } from './bad-run.ts';
import type { Step } from './pipelines.ts';
import { labForSuite, scenarioTimeoutMilliseconds } from './scenario.ts';

/** The task meets the mistake itself: the server would refuse a missing required input before it starts a job. */
const unchecked: StepOptions = { serverChecks: { requiredInputs: false } };

interface Row {
  readonly title: string;
  readonly step: Step;
  /** Lines of the list of mistakes, in order; the list has no others. */
  readonly mistakes: readonly (string | RegExp)[];
  readonly code?: 'INPUT_INVALID' | 'SCOPE_SYNTAX';
}

const absent = { azureConnection: '', target: '', resource: '', scopes: '' };

const missing: readonly Row[] = [
  { title: 'no target', step: registryToken({ target: '' }), mistakes: ['target: is required'] },
  { title: 'no resource', step: registryToken({ resource: '' }), mistakes: ['resource: is required'] },
  { title: 'no scopes', step: registryToken({ scopes: '' }), mistakes: ['scopes: is required'] },
  { title: 'no connection', step: registryToken({ azureConnection: '' }), mistakes: ['azureConnection: is required'] },
  {
    title: 'nothing at all, and wrong what is there',
    step: registryToken({
      ...absent,
      connectionType: 'password',
      variable: 'PATH',
      lifetimeMinutes: 'long',
      evidence: 'sometimes',
    }),
    mistakes: [
      'connectionType: "password" is not known; expected azure',
      'azureConnection: is required',
      'target: is required',
      'resource: is required',
      'variable: "PATH" is a name that the agent, a shell or a runtime reads',
      'lifetimeMinutes: "long" is not a whole number',
      'evidence: "sometimes" is none of attached, confirmed',
      'scopes: is required',
    ],
  },
];

const wrong: readonly Row[] = [
  {
    title: 'an unknown target',
    step: registryToken({ target: 'blobs' }),
    mistakes: ['target: "blobs" is none of storage, containerRegistry'],
  },
  {
    title: 'an unknown connection type',
    step: registryToken({ connectionType: 'agentIdentity' }),
    mistakes: ['connectionType: "agentIdentity" is not known'],
  },
  {
    title: 'a registry for storage',
    step: storageToken({ resource: 'contoso.azurecr.io' }),
    mistakes: [
      /resource: "contoso\.azurecr\.io" is not the URL of a storage account.*https:\/\/ACCOUNT\.blob\.core\.windows\.net/,
    ],
  },
  {
    title: 'a storage account for the registry',
    step: registryToken({ resource: 'https://contosodata.blob.core.windows.net' }),
    mistakes: [
      /resource: "https:\/\/contosodata\.blob\.core\.windows\.net" is not the host of a registry.*NAME\.azurecr\.io/,
    ],
  },
  {
    title: 'a host that only begins like the account',
    step: storageToken({ resource: 'https://contosodata.blob.core.windows.net.attacker.example' }),
    mistakes: ['resource: "https://contosodata.blob.core.windows.net.attacker.example" is not the URL'],
  },
  {
    title: 'a registry with user information before another host',
    step: registryToken({ resource: 'https://contoso.azurecr.io@attacker.example' }),
    mistakes: ['is not the host of a registry'],
  },
  {
    title: 'a storage account by plain http',
    step: storageToken({ resource: 'http://contosodata.blob.core.windows.net' }),
    mistakes: ['resource: "http://contosodata.blob.core.windows.net" is not the URL'],
  },
  {
    title: 'a storage account of another cloud than the connection',
    step: storageToken({ resource: 'https://contosodata.blob.core.usgovcloudapi.net' }),
    mistakes: ['is not the URL of a storage account in AzureCloud'],
  },
  {
    title: 'a path where a host is meant',
    step: registryToken({ resource: 'contoso.azurecr.io/team/app' }),
    mistakes: ['resource: "contoso.azurecr.io/team/app" is not the host'],
  },
  {
    title: 'two resources in one signature',
    step: storageToken({ scopes: 'read on logs\nread on other' }),
    mistakes: ['scopes, line 2: "other" is a second resource besides "logs"'],
  },
  {
    title: 'a directory that is the whole container',
    step: storageToken({ scopes: 'read on logs/**' }),
    mistakes: ['scopes, line 1: for the whole container write "on logs"'],
  },
  {
    title: 'an action that is not possible on a blob',
    step: storageToken({ scopes: 'list on logs/app.json' }),
    mistakes: ['scopes, line 1: "list" is not possible on a blob'],
  },
  {
    title: 'actions of storage for the registry, and a tag',
    step: registryToken({ scopes: 'read on team/app\npull on team/app:v1\npull' }),
    mistakes: [
      'scopes, line 1: "read" is none of pull, push',
      'scopes, line 2: "team/app:v1" is not a repository name',
      'scopes, line 3: expected a repository, such as "pull on team/app"',
    ],
  },
];

const lifetimes: readonly Row[] = ['0', 'abc', '-5', '1.5', '10081', '99999999999999999999'].map((minutes) => ({
  title: `a lifetime of ${minutes}`,
  step: storageToken({ lifetimeMinutes: minutes }),
  mistakes: [`lifetimeMinutes: "${minutes}" is not a whole number from 1 to 10080`],
}));

const notNames = ['1TOKEN', 'MY TOKEN', 'TOKEN;isoutput=true', `T${'x'.repeat(128)}`];
const reservedNames = [
  'PATH',
  'Path',
  'node.options',
  'https_proxy',
  'System.AccessToken',
  'agent.name',
  'SECRET_TOKEN',
];

const names: readonly Row[] = [
  ...notNames.map((name) => ({
    name,
    why: 'is not a variable name here: a letter, then at most 127 letters, digits, underscores or dots',
  })),
  ...reservedNames.map((name) => ({ name, why: 'is a name that the agent, a shell or a runtime reads' })),
].map(({ name, why }) => ({
  title: `the variable ${name.slice(0, 30)}`,
  step: storageToken({ variable: name }),
  mistakes: [`variable: "${name}" ${why}`],
}));

const together: readonly Row[] = [
  {
    title: 'a wrong resource and an unknown action',
    step: storageToken({ resource: 'https://attacker.example', scopes: 'fetch on logs' }),
    mistakes: ['resource: "https://attacker.example"', 'scopes, line 1: "fetch" is none of read'],
  },
  {
    title: 'a wrong resource and scopes that do not parse',
    step: storageToken({ resource: 'https://attacker.example', scopes: 'read on' }),
    mistakes: ['resource: "https://attacker.example"', 'scopes, line 1, column'],
  },
  {
    title: 'no resource and an unknown action',
    step: storageToken({ resource: '', scopes: 'fetch on logs' }),
    mistakes: ['resource: is required', 'scopes, line 1: "fetch" is none of read'],
  },
  {
    title: 'a line that does not parse and an unknown action in another',
    step: registryToken({ scopes: 'pull,,push on team/app\nfetch on team/app' }),
    mistakes: ['scopes, line 1, column', 'scopes, line 2: "fetch" is none of pull'],
  },
];

describe('bad inputs', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  const rows = { missing, wrong, 'the lifetime': lifetimes, 'the name of the variable': names, together };
  for (const [group, list] of Object.entries(rows)) {
    describe(group, () => {
      for (const { title, step, mistakes, code } of list) {
        it(title, async () => {
          const run = await runSteps(suite.lab, [step], unchecked);
          const message = assertRefused(run, {
            code: code ?? 'INPUT_INVALID',
            says: ['Next: Correct them in the YAML', 'Nothing was requested and no variable was set'],
          });
          assertMistakes(message, mistakes);
        });
      }
    });
  }

  it('two connections in one input are no connection', async () => {
    const step = registryToken({ azureConnection: 'sc-images,sc-logs' });
    assertRefused(await runSteps(suite.lab, [step]), {
      code: 'CONNECTION_UNUSABLE',
      says: ['The agent handed over no service connection', 'Next: Check azureConnection'],
    });
  });
});

/** Exactly these mistakes, in this order, and their number in the first line. */
function assertMistakes(message: string, mistakes: readonly (string | RegExp)[]): void {
  const listed = message.split('\n').filter((line) => line.startsWith('  - '));
  assert.equal(listed.length, mistakes.length, message);
  assert.match(message, mistakes.length === 1 ? /\(one mistake\):/ : new RegExp(`\\(${mistakes.length} mistakes\\):`));
  mistakes.forEach((mistake, index) => {
    const line = listed[index] ?? '';
    if (typeof mistake === 'string') assert.ok(line.includes(mistake), `"${mistake}" in: ${line}`);
    else assert.match(line, mistake);
  });
}
