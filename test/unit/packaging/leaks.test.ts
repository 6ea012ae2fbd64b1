import assert from 'node:assert/strict';
import { machinePaths, secretShapes } from './leaks.ts';

describe('search for leaks in a package', () => {
  // Put together here, so that no search through the sources takes them for real ones.
  const letters = (count: number) => 'aB3d'.repeat(count).slice(0, count);
  const samples: Readonly<Record<string, string>> = {
    'a JSON web token': `x = "eyJ${letters(20)}.eyJ${letters(40)}.${letters(40)}"`,
    'a private key': `-----BEGIN ${'RSA PRIVATE'} KEY-----\n${letters(64)}\n`,
    'an Azure DevOps personal access token': `${letters(76)}${'AZ'}DO${letters(4)}`,
    'a storage account key': `Account${'Key'}=${letters(86)}==`,
    'an Entra client secret': `abc8${'Q~'}${letters(34)}`,
    'a shared access signature': `?sv=2022-11-02&${'si'}g=${letters(43)}%3D`,
    'a GitHub token': `gh${'p_'}${letters(36)}`,
    'an npm token': `npm${'_'}${letters(36)}`,
    'an AWS access key': `AK${'IA'}${'A1B2'.repeat(4)}`,
  };
  for (const [name, sample] of Object.entries(samples)) {
    it(`finds ${name}`, () => {
      assert.deepEqual(secretShapes(`before ${sample} after`), [name]);
    });
  }

  it('takes no code for a secret', () => {
    for (const text of ['-----BEGIN PRIVATE KEY-----', 'url + "&sig=" + encode(signature)', 'AccountKey=', 'eyJ']) {
      assert.deepEqual(secretShapes(text), []);
    }
  });

  it('finds paths of a machine', () => {
    assert.deepEqual(machinePaths('"/home/someone/x.ts"', []), ['/home/s']);
    assert.equal(machinePaths('C:\\\\Users\\\\someone', []).length, 1);
    assert.deepEqual(machinePaths('"/build/7/src/x.ts"', ['/build/7']), ['/build/7']);
    assert.deepEqual(machinePaths('https://example.com/home', ['/build/7']), []);
  });
});
