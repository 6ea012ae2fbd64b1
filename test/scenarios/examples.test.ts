import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../agent/run-result.ts';
import { root } from '../packaged.ts';
import { requireDebian } from '../requires.ts';
import { curlLines, pipelineOf, registryStep, type Step, scriptStep, statusesOf, storageStep } from './pipelines.ts';
import { labForSuite, runScenario, scenarioTimeoutMilliseconds } from './scenario.ts';

const folder = join(root, 'docs', 'examples');
const examples = readdirSync(folder).filter((name) => name.endsWith('.yml') && name !== 'connections.yml');

/** What an example's log must show; an example that is not here must succeed. */
const shows: Readonly<Record<string, readonly string[]>> = {
  'first-token.yml': [
    '{"level":"info"}',
    'A blob of another container: 403',
    'Deleting the log:            403',
    '{"name":"team/app","tags":["v1"]}',
    'Another repository: 401',
    'Starting a push:    401',
  ],
};

/** The lines that a step printed to be pasted, as the text of a YAML list entry. The last step of a job printed last. */
function linesToPaste(run: RunResult): string {
  const start = run.log.lastIndexOf('To use it, paste into the steps after this one:');
  assert.ok(start >= 0, 'the log prints lines to paste');
  const lines: string[] = [];
  for (const line of run.log.slice(start + 1)) {
    if (!line.startsWith('    ')) break;
    lines.push(line.slice(4));
  }
  assert.ok(lines.length > 0);
  return lines.join('\n');
}

/** A pipeline of one step, and under it what was pasted, as it is. */
function withPasted(step: Step, pasted: string): string {
  const first = JSON.stringify(step);
  return `steps:\n- ${first}\n${pasted}\n`;
}

describe('docs/examples', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  before(function () {
    for (const program of ['docker-registry', 'curl'] as const) requireDebian(this, program);
  });
  const suite = labForSuite();

  it('are there', () => {
    for (const name of Object.keys(shows)) assert.ok(examples.includes(name), name);
  });

  for (const name of examples) {
    it(`${name} runs as printed`, async () => {
      const run = await runScenario(suite.lab, { pipeline: join(folder, name) });
      assert.equal(run.result, 'Succeeded');
      assert.deepEqual(run.issues, []);
      for (const line of shows[name] ?? []) assert.ok(run.log.includes(line), line);
    });
  }
});

describe('the lines to paste', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  before(function () {
    for (const program of ['docker-registry', 'skopeo', 'curl'] as const) requireDebian(this, program);
  });
  const suite = labForSuite();

  const blobs: readonly [what: string, scope: string, blob: string][] = [
    ['a container', 'logs', 'app.json'],
    ['a blob', 'logs/2026/app.json', ''],
    ['a blob with blanks and letters of other languages in its name', 'logs/Bericht März 2026.json', ''],
    ['a blob with a quote in its name', "logs/today's report.json", ''],
    ['a blob with signs that an address reserves', 'logs/100%?#1+1&a=b.json', ''],
  ];
  for (const [what, scope, blob] of blobs) {
    it(`for ${what} work as printed`, async () => {
      const path = `${scope}${blob === '' ? '' : `/${blob}`}`.split('/').map(encodeURIComponent).join('/');
      const token = storageStep({ name: 'token', scopes: `read on ${scope}`, evidence: 'confirmed' });
      const filled = await runScenario(suite.lab, {
        pipeline: pipelineOf(
          storageStep({ name: 'fill', scopes: 'write on logs', variable: 'FILL_SAS', evidence: 'confirmed' }),
          scriptStep(
            curlLines([
              {
                label: 'fill',
                url: 'https://contosodata.blob.core.windows.net/$BLOB?$SAS',
                method: 'PUT',
                headers: ['x-ms-blob-type: BlockBlob', 'x-ms-version: 2022-11-02'],
                body: 'what is in it',
              },
            ]),
            { BLOB: path, SAS: '$(FILL_SAS)' },
          ),
          token,
        ),
      });
      assert.deepEqual(statusesOf(filled), { fill: 201 });
      const pasted = linesToPaste(filled).replace(/\/BLOB\b/, `/${blob}`);
      const run = await runScenario(suite.lab, { pipeline: withPasted(token, pasted) });
      assert.equal(run.result, 'Succeeded', pasted);
      assert.ok(run.log.includes('what is in it'), pasted);
    });
  }

  it('for a registry log a client in', async () => {
    const step = registryStep({ name: 'token', scopes: 'pull on team/app', evidence: 'confirmed' });
    const first = await runScenario(suite.lab, { pipeline: pipelineOf(step) });
    const pasted = linesToPaste(first);
    assert.equal(
      pasted,
      [
        '- bash: |',
        '    printf %s "$REGISTRY_TOKEN" | docker login contoso.azurecr.io --username 00000000-0000-0000-0000-000000000000 --password-stdin',
        '    docker pull contoso.azurecr.io/team/app:TAG',
        '    docker logout contoso.azurecr.io',
        '  env:',
        '    REGISTRY_TOKEN: $(REGISTRY_TOKEN)',
      ].join('\n'),
    );
    // There is no docker here; skopeo's login and logout take the same arguments.
    const copy =
      'skopeo --insecure-policy copy --quiet docker://contoso.azurecr.io/team/app:v1 oci:image:v1 && echo pulled';
    const withSkopeo = pasted
      .replace('docker pull contoso.azurecr.io/team/app:TAG', copy)
      .replaceAll('docker log', 'skopeo log');
    const run = await runScenario(suite.lab, { pipeline: withPasted(step, withSkopeo) });
    assert.equal(run.result, 'Succeeded');
    assert.ok(run.log.includes('pulled'));
  });
});
