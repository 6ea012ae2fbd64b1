import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { bundledPackages, duplicateCopies, packageFolder } from '../../../packaging/bundled-packages.ts';
import { noticeProblems, thirdPartyNotices } from '../../../packaging/notices.ts';
import { equalCopies } from '../../../packaging/one-copy.ts';

describe('npm packages in a bundle', () => {
  let folder = '';

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'scoped-token-dependencies-'));
    writeFileSync(join(folder, 'LICENSE'), 'MIT License\n\nCopyright (c) somebody\n\nThe terms.\n');
    install('node_modules/left', { name: 'left', version: '1.0.0', license: 'MIT', author: 'A. Author' }, '');
    install('node_modules/@scope/right', { name: '@scope/right', version: '2.0.0', license: 'ISC' }, 'ISC terms');
    install(
      'node_modules/@scope/right/node_modules/left',
      { name: 'left', version: '3.0.0', license: 'MIT' },
      'Left 3',
    );
    install('node_modules/closed', { name: 'closed', version: '1.0.0', license: 'SEE LICENSE' }, 'Pay.');
    install('node_modules/silent', { name: 'silent', version: '1.0.0', license: 'MIT' }, '');
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  function install(path: string, manifest: Record<string, string>, licence: string): void {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'package.json'), JSON.stringify(manifest));
    if (licence !== '') {
      writeFileSync(join(folder, path, 'LICENSE.md'), licence);
    }
  }

  function bundled(...paths: readonly string[]) {
    const inputs = Object.fromEntries(paths.map((path) => [path, { bytesInOutput: 1 }]));
    inputs['node_modules/silent/unused.js'] ??= { bytesInOutput: 0 };
    const output = { bytes: 1, inputs, imports: [], exports: [] };
    return bundledPackages(folder, [{ inputs: {}, outputs: { 'main.mjs': output } } satisfies Metafile]);
  }

  it('are those of which something is left after tree shaking', () => {
    const packages = bundled(
      'src/main.ts',
      'node_modules/left/a.js',
      'node_modules/left/b.js',
      'node_modules/@scope/right/a.js',
    );
    assert.deepEqual(
      packages.map(({ name, version }) => `${name} ${version}`),
      ['@scope/right 2.0.0', 'left 1.0.0'],
    );
  });

  it('are found by the innermost folder of packages', () => {
    assert.equal(packageFolder('node_modules/a/node_modules/@b/c/dist/d.js'), 'node_modules/a/node_modules/@b/c');
    assert.equal(packageFolder('../node_modules/a/index.js'), '../node_modules/a');
    assert.equal(packageFolder('src/a.ts'), undefined);
  });

  it('are named when there is more than one copy', () => {
    const nested = 'node_modules/@scope/right/node_modules/left';
    assert.deepEqual(duplicateCopies(bundled('node_modules/left/a.js', `${nested}/a.js`)), [
      `left: 1.0.0 in node_modules/left, 3.0.0 in ${nested}`,
    ]);
    assert.deepEqual(duplicateCopies(bundled('node_modules/left/a.js', 'node_modules/@scope/right/a.js')), []);
  });

  it('are taken from one place when npm has put one version in several', () => {
    const copies = equalCopies({
      packages: {
        '': { version: '0.1.0' },
        'node_modules/b/node_modules/a': { version: '1.0.0' },
        'node_modules/c/node_modules/a': { version: '1.0.0' },
        'node_modules/a': { version: '2.0.0' },
        'node_modules/long/node_modules/a': { version: '2.0.0' },
      },
    });
    assert.deepEqual(Object.fromEntries(copies), {
      'node_modules/c/node_modules/a': 'node_modules/b/node_modules/a',
      'node_modules/long/node_modules/a': 'node_modules/a',
    });
  });

  it('have their notices, from their own licence file or from what they state', () => {
    const notices = thirdPartyNotices(folder, bundled('node_modules/left/a.js', 'node_modules/@scope/right/a.js'));
    assert.match(notices, /@scope\/right 2\.0\.0 \(ISC\)\n\nISC terms\n/);
    assert.match(notices, /left 1\.0\.0 \(MIT\)\n\nMIT License\n\nCopyright \(c\) A\. Author\n\nThe terms\.\n/);
  });

  it('stop the build when their licence is not permissive, or nowhere to be found', () => {
    const closed = bundled('node_modules/closed/a.js');
    assert.match(noticeProblems(folder, closed)[0] ?? '', /closed 1\.0\.0: licence "SEE LICENSE"/);
    const silent = bundled('node_modules/silent/a.js');
    assert.match(noticeProblems(folder, silent)[0] ?? '', /silent 1\.0\.0: ships no licence text/);
    assert.throws(() => thirdPartyNotices(folder, [...closed, ...silent]), /closed.*\n.*silent/);
  });
});
