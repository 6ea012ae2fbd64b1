import assert from 'node:assert/strict';
import { assertRefused, registryToken, runSteps, storageToken } from './bad-run.ts';
import type { Step } from './pipelines.ts';
import { labForSuite, scenarioTimeoutMilliseconds } from './scenario.ts';

interface Row {
  readonly title: string;
  readonly step: Step;
  /** Where the mistakes are and what was expected there, in order. */
  readonly mistakes: readonly string[];
}

const syntax: readonly Row[] = [
  {
    title: 'an action without a resource after " on "',
    step: storageToken({ scopes: 'read on' }),
    mistakes: ['line 1, column 5: expected a resource after " on "'],
  },
  {
    title: 'a quote that does not close',
    step: registryToken({ scopes: "'pull on team/app" }),
    mistakes: ["line 1, column 1: expected a closing ' for this action"],
  },
  {
    title: 'quotes around nothing',
    step: registryToken({ scopes: "pull,'' on team/app" }),
    mistakes: ['line 1, column 6: expected an action between the quotes'],
  },
  {
    title: 'an action that stands twice',
    step: registryToken({ scopes: 'pull,push,pull on team/app' }),
    mistakes: ['line 1, column 11: the action "pull" stands twice'],
  },
  {
    title: 'two blanks before the resource',
    step: registryToken({ scopes: 'pull on  team/app' }),
    mistakes: ['line 1, column 9: expected one blank before the resource'],
  },
  {
    title: 'an invisible character',
    step: registryToken({ scopes: 'pull on team\u200b/app' }),
    mistakes: ['line 1, column 13: expected printable characters, found an invisible one'],
  },
  {
    title: 'comments only',
    step: registryToken({ scopes: '# pull on team/app' }),
    mistakes: ['line 1, column 1: expected at least one scope'],
  },
  {
    title: 'five lines, three of which do not parse',
    step: registryToken({
      scopes: 'pull on team/app\n\npull,,push on team/app\n  pull push on team/app\n,pull on team/app',
    }),
    mistakes: [
      'line 3, column 6: expected an action, found ","',
      'line 4, column 7: expected "," or " on RESOURCE", found " push on team/app"',
      'line 5, column 1: expected an action, found ","',
    ],
  },
];

const native: readonly Row[] = [
  {
    title: "the registry's own syntax",
    step: registryToken({ scopes: 'repository:team/app:pull' }),
    mistakes: ['line 1: this is the registry\'s own syntax; write "pull on team/app"'],
  },
  {
    title: "the registry's own syntax with two actions, beside a sound line",
    step: registryToken({ scopes: 'pull on team/web\nrepository:team/app:pull,push' }),
    mistakes: ['line 2: this is the registry\'s own syntax; write "pull,push on team/app"'],
  },
  {
    title: "the letters of a signature's permissions",
    step: storageToken({ scopes: 'rl on logs' }),
    mistakes: ['line 1: "rl" is the service\'s own way to write actions; write "read,list on logs"'],
  },
];

describe('bad scopes', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  for (const { title, step, mistakes } of syntax) {
    it(title, async () => {
      const message = assertRefused(await runSteps(suite.lab, [step]), {
        code: 'SCOPE_SYNTAX',
        says: ['A scope is written ACTION[,ACTION…] on RESOURCE, one a line'],
      });
      assertScopeMistakes(message, mistakes);
    });
  }

  describe('pasted', () => {
    for (const { title, step, mistakes } of native) {
      it(title, async () => {
        const message = assertRefused(await runSteps(suite.lab, [step]), { code: 'INPUT_INVALID' });
        assertScopeMistakes(message, mistakes);
      });
    }
  });
});

function assertScopeMistakes(message: string, mistakes: readonly string[]): void {
  const listed = message.split('\n').filter((line) => line.startsWith('  - scopes, '));
  assert.equal(listed.length, mistakes.length, message);
  mistakes.forEach((mistake, index) => {
    assert.ok(listed[index]?.includes(mistake), `"${mistake}" in: ${listed[index]}`);
  });
}
