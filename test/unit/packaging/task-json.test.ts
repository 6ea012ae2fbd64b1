import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { readTargetNames, readTaskManifest, textWithTargets, withTargets } from '../../../packaging/task-manifest.ts';
import { root } from '../../packaged.ts';
import { TASK_SCHEMA } from './task-schema.ts';

describe('task.json of ScopedToken', () => {
  const manifest = readTaskManifest(root, 'ScopedToken');
  const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(TASK_SCHEMA);
  const inputNames = manifest.inputs.map(({ name }) => name);

  it('has the shape of a task', () => {
    assert.ok(validate(manifest), JSON.stringify(validate.errors, null, 2));
  });

  it('would not pass with what agents and servers refuse', () => {
    const changes: readonly Record<string, unknown>[] = [
      { friendlyName: 'x'.repeat(41) },
      { version: { Major: 1, Minor: 0, Patch: 65_536 } },
      { version: { Major: 1, Minor: 0 } },
      { minimumAgentVersion: '3' },
      { execution: { Node24: { target: 'main.mjs' } } },
      { execution: { Node16: { target: 'main.mjs' }, ...manifest.execution } },
      { inputs: [{ name: 'not-a-name', type: 'string', label: 'x', helpMarkDown: 'x' }] },
      { inputs: [{ name: 'list', type: 'pickList', label: 'x', helpMarkDown: 'x' }] },
      { restrictions: { commands: { mode: 'restricted' } } },
    ];
    for (const change of changes) {
      assert.equal(validate({ ...manifest, ...change }), false, JSON.stringify(change));
    }
  });

  it('offers the targets that the product has', async () => {
    const targets = await readTargetNames(root);
    assert.ok(targets.length > 0);
    assert.deepEqual(manifest, withTargets(manifest, targets), 'run "npm run task-version"');
  });

  it('gets its pick list without any other change', async () => {
    const text = readFileSync(join(root, 'tasks', 'ScopedToken', 'task.json'), 'utf8');
    assert.equal(textWithTargets(text, await readTargetNames(root)), text);
    const other = textWithTargets(text, [{ name: 'moon', label: 'The "moon"' }]);
    assert.deepEqual(JSON.parse(other), withTargets(manifest, [{ name: 'moon', label: 'The "moon"' }]));
    assert.throws(() => textWithTargets('{}', []), /no input "target"/);
  });

  it('refers to its own inputs and groups only', () => {
    assert.equal(new Set(inputNames).size, inputNames.length);
    const groups = (manifest['groups'] as readonly { readonly name: string }[]).map(({ name }) => name);
    for (const { name, groupName, visibleRule, defaultValue, options } of manifest.inputs) {
      assert.ok(groupName === undefined || groups.includes(String(groupName)), `${name}: group ${groupName}`);
      for (const [, other] of String(visibleRule ?? '').matchAll(/(\w+) *!?=/g)) {
        assert.ok(inputNames.includes(other ?? ''), `${name}: visible by ${other}`);
      }
      const isKnown = options === undefined || defaultValue === '' || String(defaultValue) in options;
      assert.ok(isKnown, `${name}: the default ${defaultValue} is no option`);
    }
    for (const [, name] of String(manifest['instanceNameFormat']).matchAll(/\$\((\w+)\)/g)) {
      assert.ok(inputNames.includes(name ?? ''), `instanceNameFormat: ${name}`);
    }
  });

  it('has the inputs and outputs that the product describes', () => {
    const expected = ['connectionType', 'azureConnection', 'target', 'resource', 'scopes', 'variable', 'purpose'];
    assert.deepEqual(inputNames, [...expected, 'lifetimeMinutes', 'evidence']);
    const outputs = (manifest['outputVariables'] as readonly { readonly name: string }[]).map(({ name }) => name);
    const facts = ['issued', 'enforcement', 'proof', 'expiresOn', 'grantedScopes', 'excess', 'fingerprint', 'recordId'];
    assert.deepEqual(outputs, facts);
  });

  it('runs one file a stage, whatever Node the agent picks', () => {
    for (const stage of [manifest.prejobexecution, manifest.execution, manifest.postjobexecution]) {
      assert.equal(new Set(Object.values(stage).map(({ target }) => target)).size, 1);
    }
  });
});
