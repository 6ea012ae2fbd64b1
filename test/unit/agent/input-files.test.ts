import assert from 'node:assert/strict';
import { parseConnections } from '../../agent/connections.ts';
import { parsePipeline } from '../../agent/pipeline-file.ts';
import { PipelineRefused } from '../../agent/refusal.ts';

function mistakesOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof PipelineRefused);
    return error.mistakes.join('\n');
  }
  assert.fail('nothing was refused');
}

describe('connections file', () => {
  it('reads a connection, ids in lower case', () => {
    const [connection] = parseConnections(`
connections:
  - id: 3F2504E0-4F89-41D3-9A0C-0305E82C3301
    name: production
    type: AzureRM
    url: https://management.azure.com/
    scheme: WorkloadIdentityFederation
    parameters: { tenantid: t-1, serviceprincipalid: "007" }
    data: { environment: AzureCloud }
    issuer: entra
`);
    assert.deepEqual(connection, {
      id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
      name: 'production',
      type: 'AzureRM',
      url: 'https://management.azure.com/',
      scheme: 'WorkloadIdentityFederation',
      parameters: { tenantid: 't-1', serviceprincipalid: '007' },
      data: { environment: 'AzureCloud' },
      issuer: 'entra',
    });
  });

  it('names all mistakes at once', () => {
    const mistakes = mistakesOf(() =>
      parseConnections(`
connections:
  - { id: nope, name: a, type: AzureRM, url: nowhere, scheme: s, issuer: github, colour: red }
  - { id: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, name: A, url: https://a.example, scheme: s, data: [1] }
  - text
`),
    );
    for (const expected of [
      /\[0\]\.id: expected a GUID/,
      /\[0\]\.url: not an absolute URL/,
      /\[0\]\.issuer: expected azureDevOps or entra/,
      /\[0\]: unknown key 'colour'/,
      /\[1\]\.type: missing/,
      /\[1\]\.name: used before/,
      /\[1\]\.data: expected a map/,
      /\[2\]: expected a map/,
    ]) {
      assert.match(mistakes, expected);
    }
  });

  it('refuses a file without the list, and YAML that does not parse', () => {
    assert.match(
      mistakesOf(() => parseConnections('a: 1')),
      /expected a list under the key connections/,
    );
    assert.match(
      mistakesOf(() => parseConnections('a: [')),
      /connections file: /,
    );
  });
});

describe('pipeline file', () => {
  it('reads steps with everything around them', () => {
    const pipeline = parsePipeline(`
trigger: none
variables:
  - { name: a, value: 1, readonly: true }
steps:
  - checkout: none
  - task: Probe@1.2.3
    name: probe
    displayName: Probes
    inputs: { text: "yes", number: 10 }
    env: { A: b }
    condition: always()
    continueOnError: true
    enabled: false
    retryCountOnTaskFailure: 2
    timeoutInMinutes: 5
    target: { commands: restricted, settableVariables: [ok, 'a*'] }
  - bash: echo
    target: { settableVariables: none }
`);
    assert.deepEqual(pipeline.variables, [{ name: 'a', value: '1', readOnly: true }]);
    const [probe, script] = pipeline.steps;
    assert.deepEqual(probe, {
      work: { kind: 'task', task: 'Probe', major: 1 },
      name: 'probe',
      displayName: 'Probes',
      inputs: { text: 'yes', number: '10' },
      env: { A: 'b' },
      condition: 'always()',
      continueOnError: true,
      enabled: false,
      retryCountOnTaskFailure: 2,
      timeoutInMinutes: 5,
      target: { restricted: true, settableVariables: ['ok', 'a*'] },
    });
    assert.deepEqual(script?.target, { restricted: false, settableVariables: [] });
    assert.equal(script?.condition, 'succeeded()');
  });

  it('names all mistakes at once', () => {
    const mistakes = mistakesOf(() =>
      parsePipeline(`
stages: []
steps:
  - task: Probe
  - script: a
    name: a-b
    timeoutInMinutes: soon
    colour: red
  - bash: \${{ x }}
`),
    );
    for (const expected of [
      /unknown key 'stages'/,
      /steps\[0\]: expected task: Name@major/,
      /steps\[1\]\.name: 'a-b'/,
      /steps\[1\]\.timeoutInMinutes/,
      /steps\[1\]: unknown key 'colour'/,
      /template expressions/,
    ]) {
      assert.match(mistakes, expected);
    }
  });
});
