import assert from 'node:assert/strict';
import { assertIssued, recordsOf, registryToken, runSteps, storageToken, tokenVariable } from './bad-run.ts';
import { curlLines, outputsOf, scriptStep, statusesOf } from './pipelines.ts';
import { labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const minutes = 60;
const hours = 3600;
const apart: readonly [title: string, seconds: number][] = [
  ['10 minutes behind', 10 * minutes],
  ['10 minutes ahead', -10 * minutes],
  ['2 hours behind', 2 * hours],
  ['2 hours ahead', -2 * hours],
];

/** A life that is shorter than the largest difference, so that a signature by the agent's time would not do. */
const lifetimeMinutes = 30;

describe('clocks that are apart', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const use = scriptStep(
    curlLines([{ label: 'declared', url: 'https://contosodata.blob.core.windows.net/logs/app.json?$SAS' }]),
    { SAS: `$(${tokenVariable})` },
  );

  for (const [title, seconds] of apart) {
    const says = new RegExp(
      `The agent's clock is (\\d+) seconds ${seconds > 0 ? 'behind' : 'ahead of'} the servers'\\. Their time was used`,
    );

    it(`the agent's is ${title}: a signature is valid by the servers' time`, async () => {
      suite.lab.clock.offsetSeconds = seconds;
      const run = await runSteps(suite.lab, [storageToken({ lifetimeMinutes: String(lifetimeMinutes) }), use]);
      const step = assertIssued(run, { warnings: ['CLOCK_SKEW'] });
      const told = says.exec(step.issues[0]?.message ?? '');
      assert.ok(told, step.issues[0]?.message);
      assert.ok(Math.abs(Number(told[1]) - Math.abs(seconds)) <= 3, told[0]);
      assert.deepEqual(statusesOf(run), { declared: 200 });
      const left = Date.parse(outputsOf(step)['expiresOn'] ?? '') - suite.lab.clock.nowMilliseconds();
      assert.ok(Math.abs(left / 60_000 - lifetimeMinutes) < 1, `${left} ms left by the servers' time`);
      const skew = recordsOf(run).at(-1)?.issuer?.skewSeconds ?? 0;
      assert.ok(Math.abs(skew + seconds) <= 3, `${skew} s in the record`);
    });
  }

  for (const [title, seconds] of apart.slice(2)) {
    it(`the agent's is ${title}: the clean-up does not say that a living signature has ended`, async () => {
      suite.lab.clock.offsetSeconds = seconds;
      const run = await runSteps(suite.lab, [storageToken({ lifetimeMinutes: String(lifetimeMinutes) })]);
      assert.equal(recordsOf(run, 'final').at(-1)?.event, 'notRevocable');
      assert.equal(stageOf(run, 'token', 'post').result, 'Succeeded');
    });

    it(`the agent's is ${title}: a registry token is had, with one warning`, async () => {
      suite.lab.clock.offsetSeconds = seconds;
      const run = await runSteps(suite.lab, [registryToken()]);
      assertIssued(run, { warnings: ['CLOCK_SKEW'] });
    });
  }

  it('a minute is nothing to warn of', async () => {
    suite.lab.clock.offsetSeconds = minutes;
    assertIssued(await runSteps(suite.lab, [registryToken()]));
  });
});
