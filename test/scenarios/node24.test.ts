import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { verifyLedger } from '../../src/audit/ledger.ts';
import { requireDebian, requireNode24 } from '../requires.ts';
import { ledgersOf, outputsOf, pipelineOf, printed, registryStep, scriptStep, storageStep } from './pipelines.ts';
import { labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

describe('the handler on Node 24', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  let nodePath: string;
  before(function () {
    nodePath = requireNode24(this);
    requireDebian(this, 'docker-registry');
    requireDebian(this, 'curl');
  });
  const suite = labForSuite();

  it('issues a storage signature and a registry token that work, and nothing is warned about', async () => {
    assert.match(execFileSync(nodePath, ['--version'], { encoding: 'utf8' }), /^v24\./);
    const run = await runScenario(suite.lab, {
      nodePath,
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'read on logs' }),
        registryStep({ name: 'image', scopes: 'pull on team/app', evidence: 'confirmed' }),
        scriptStep(
          [
            `printf 'url = "https://contosodata.blob.core.windows.net/logs/app.json?%s"\\n' "$SAS" | curl --fail --silent --config - | sed 's/^/content: /'; echo`,
            `printf 'header = "Authorization: Bearer %s"\\n' "$TOKEN" | curl --fail --silent --config - https://contoso.azurecr.io/v2/team/app/tags/list | sed 's/^/tags: /'; echo`,
          ],
          { SAS: '$(STORAGE_SAS)', TOKEN: '$(REGISTRY_TOKEN)' },
        ),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assert.deepEqual(run.issues, []);
    assert.ok(!run.log.some((line) => /\bWarning\b|DEP\d{4}/.test(line)), 'Node deprecates nothing that is used');
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    assert.equal(printed(run, 'tags'), '{"name":"team/app","tags":["v1"]}');
    assert.equal(outputsOf(stageOf(run, 'logs'))['proof'], 'constructed');
    assert.equal(outputsOf(stageOf(run, 'image'))['proof'], 'readBack');
    assert.deepEqual(
      ledgersOf(run, { step: 'logs' }).map(({ content }) => verifyLedger(content).count),
      [2, 3],
    );
  });
});
