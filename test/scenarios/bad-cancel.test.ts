import assert from 'node:assert/strict';
import type { RunResult } from '../agent/run-result.ts';
import { cannedAnswers, type Fault } from '../servers/faults.ts';
import {
  assertCleanUp,
  assertClear,
  assertNothingSet,
  recordsOf,
  registryToken,
  runSteps,
  type StepOptions,
  storageToken,
} from './bad-run.ts';
import type { Step } from './pipelines.ts';
import { labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const longestMilliseconds = 5000;

describe('a cancelled job', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  /** Runs a step with a server's fault that may cancel the job; says how long the job lived on. */
  const cancelled = async (
    server: 'oidc' | 'entra' | 'registry' | 'storage',
    fault: (cancel: () => void) => Fault,
    more: { readonly step?: Step; readonly options?: StepOptions } = {},
  ): Promise<{ run: RunResult; afterMilliseconds: number }> => {
    let cancel = () => {};
    let at = Number.NaN;
    suite.lab.fault(
      server,
      fault(() => {
        at = performance.now();
        cancel();
      }),
    );
    const run = await runSteps(suite.lab, [more.step ?? registryToken()], {
      cancel: (handedOut) => {
        cancel = handedOut;
      },
      ...more.options,
    });
    return { run, afterMilliseconds: performance.now() - at };
  };

  const hangs =
    (cancel: () => void): Fault =>
    () => {
      cancel();
      return 'hang';
    };

  const rows: readonly {
    readonly title: string;
    readonly server: 'oidc' | 'entra' | 'registry' | 'storage';
    readonly fault: (cancel: () => void) => Fault;
    readonly step?: Step;
  }[] = [
    { title: 'while the OIDC route does not answer', server: 'oidc', fault: hangs },
    { title: 'while Entra does not answer', server: 'entra', fault: hangs },
    { title: 'while the registry does not answer', server: 'registry', fault: hangs },
    { title: 'while storage does not answer', server: 'storage', fault: hangs, step: storageToken() },
    {
      title: 'between two tries',
      server: 'oidc',
      fault: (cancel) => () => {
        // The step has read the answer long before, and is waiting for the half minute that it asks for.
        setTimeout(cancel, 400);
        return cannedAnswers.throttled(30);
      },
    },
  ];
  for (const { title, server, fault, step } of rows) {
    it(`${title}: ends at once, sets nothing, and says so in the ledger`, async () => {
      const { run, afterMilliseconds } = await cancelled(server, fault, step ? { step } : {});
      assertCancelled(run);
      assert.ok(afterMilliseconds < longestMilliseconds, `${afterMilliseconds} ms`);
      assert.deepEqual(stageOf(run, 'token').signals, ['SIGINT']);
      assert.equal(run.requests.filter((request) => request.server === server).length, 1, 'nothing was asked again');
    });
  }

  it('twice, as the agent does when a step lingers: one record, one message', async () => {
    const { run } = await cancelled('oidc', hangs, { options: { variables: { PROCESS_SIGINT_TIMEOUT: '1' } } });
    assertCancelled(run);
    assert.deepEqual(stageOf(run, 'token').signals, ['SIGINT', 'SIGTERM']);
  });

  it('a step whose time runs out fails in the same way', async () => {
    const step = registryToken({}, { timeoutInMinutes: 0.02 });
    const { run } = await cancelled('oidc', () => () => 'hang', { step });
    assert.equal(stageOf(run, 'token').result, 'Failed');
    assertLeft(run);
  });

  it('after the token was issued: the variable is not there, and the ledger has the token', async () => {
    const { run } = await cancelled('registry', (cancel) => (call) => {
      if (call.path !== '/oauth2/token') return undefined;
      return {
        alter(answer) {
          cancel();
          return answer;
        },
      };
    });
    assert.equal(stageOf(run, 'token').result, 'Canceled');
    assertNothingSet(run);
    const last = recordsOf(run).at(-1);
    assert.ok(last?.event === 'cancelled' || last?.event === 'issued', last?.event);
    if (last.event === 'issued') assert.match(last.token?.fingerprint ?? '', /^[0-9a-f]{16}$/);
  });
});

function assertCancelled(run: RunResult): void {
  assert.equal(run.result, 'Canceled');
  assert.equal(stageOf(run, 'token').result, 'Canceled');
  assertLeft(run);
}

/** One message of ours, nothing set, the record attached, the clean-up done. */
function assertLeft(run: RunResult): void {
  const ours = stageOf(run, 'token').issues.filter((issue) => issue.code === 'CANCELLED');
  assert.equal(ours.length, 1, JSON.stringify(stageOf(run, 'token').issues));
  const message = ours[0]?.message ?? '';
  assert.match(message, /^CANCELLED: The step was cancelled before it was done\.\n/);
  assertClear(message);
  assertNothingSet(run);
  const records = recordsOf(run);
  assert.deepEqual(
    records.map((record) => record.event),
    ['intent', 'cancelled'],
  );
  assert.equal(records.at(-1)?.outcome.code, 'CANCELLED');
  assert.deepEqual(recordsOf(run, 'final'), records);
  assertCleanUp(run);
}
