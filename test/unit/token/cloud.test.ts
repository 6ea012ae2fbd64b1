import assert from 'node:assert/strict';
import { cloudNamed, cloudNames } from '../../../src/token/cloud.ts';

describe('clouds', () => {
  it('are named without regard to case', () => {
    for (const name of cloudNames) {
      assert.equal(cloudNamed(name)?.name, name);
      assert.equal(cloudNamed(name.toUpperCase())?.name, name);
    }
    assert.deepEqual(cloudNames, ['AzureCloud', 'AzureUSGovernment', 'AzureChinaCloud']);
  });

  it('are unknown by any other name', () => {
    for (const name of ['', 'AzureStack', 'AzureGermanCloud', 'AzureCloud ', '__proto__', 'constructor']) {
      assert.equal(cloudNamed(name), undefined, name);
    }
  });

  it('share no host, so that a credential of one never goes to another', () => {
    const hosts = cloudNames.flatMap((name) => {
      const cloud = cloudNamed(name);
      return [
        ...new Set([
          ...(cloud?.authorityHosts ?? []),
          ...(cloud?.storageSuffixes ?? []),
          ...(cloud?.registrySuffixes ?? []),
          cloud?.assertionAudience,
        ]),
      ];
    });
    assert.equal(new Set(hosts).size, hosts.length);
  });

  it('hold suffixes with a dot in front, and hosts without', () => {
    for (const cloud of cloudNames.map(cloudNamed)) {
      for (const suffix of [...(cloud?.storageSuffixes ?? []), ...(cloud?.registrySuffixes ?? [])]) {
        assert.match(suffix, /^\.[a-z.]+$/);
      }
      for (const host of cloud?.authorityHosts ?? []) assert.match(host, /^login\.[a-z.]+$/);
    }
  });
});
