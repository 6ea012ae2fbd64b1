import assert from 'node:assert/strict';
import { targetNames, targets } from '../../../src/targets/registry.ts';
import { azure } from './narrowing.ts';

describe('the list of targets', () => {
  it('names each once, and loads it when it is chosen', async () => {
    assert.deepEqual(
      targetNames.map(({ name }) => name),
      ['storage', 'containerRegistry'],
    );
    assert.equal(new Set(targetNames.map(({ label }) => label)).size, targetNames.length);
    for (const { load } of targets) {
      const plan = (await load()).plan({ resource: 'nowhere', scopes: [], lifetimeSeconds: 60, cloud: azure });
      assert.ok('mistakes' in plan && plan.mistakes.length > 0);
    }
  });
});
