import assert from 'node:assert/strict';
import { verifyLedger } from '../../src/audit/ledger.ts';
import { requireDebian } from '../requires.ts';
import { headsOf, ledgersOf, pipelineOf, printed, registryStep, scriptStep, storageStep } from './pipelines.ts';
import { labForSuite, runScenario, scenarioTimeoutMilliseconds } from './scenario.ts';

describe('a job in a container', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  before(function () {
    requireDebian(this, 'docker-registry');
    requireDebian(this, 'curl');
  });
  const suite = labForSuite();

  it('gets its tokens, uses them, and leaves its evidence, although paths and environment are others', async () => {
    const run = await runScenario(suite.lab, {
      container: true,
      // An administrator's settings for the agent's own process are not those of the container.
      agentEnvironment: { AGENT_HOST_ONLY: 'set' },
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'read on logs/app.json' }),
        registryStep({ name: 'image', scopes: 'pull on team/app', evidence: 'confirmed' }),
        scriptStep(
          [
            `printf 'url = "https://contosodata.blob.core.windows.net/logs/app.json?%s"\\n' "$SAS" | curl --fail --silent --config - | sed 's/^/content: /'; echo`,
            `printf 'header = "Authorization: Bearer %s"\\n' "$TOKEN" | curl --fail --silent --config - https://contoso.azurecr.io/v2/team/app/tags/list | sed 's/^/tags: /'; echo`,
            'echo "temp: ${AGENT_TEMPDIRECTORY##*/container/} ${AGENT_HOST_ONLY-not set}"',
          ],
          { SAS: '$(STORAGE_SAS)', TOKEN: '$(REGISTRY_TOKEN)' },
        ),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(run.issues, []);
    assert.equal(printed(run, 'temp'), '__w/_temp not set');
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    assert.equal(printed(run, 'tags'), '{"name":"team/app","tags":["v1"]}');
    const [mainHead, , , finalHead] = headsOf(run);
    const [main, final] = ledgersOf(run, { step: 'logs' });
    assert.equal(verifyLedger(main?.content ?? '', { head: mainHead }).state, 'consistent');
    assert.equal(verifyLedger(final?.content ?? '', { head: finalHead }).state, 'consistent');
    assert.equal(run.summary.length, 1);
  });
});
