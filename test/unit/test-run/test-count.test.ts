import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../packaged.ts';
import { summaryLines, type TestCount, withoutSkips } from '../../test-count.ts';

describe('the end of a test run', () => {
  const count: TestCount = {
    passed: 3,
    failed: 0,
    failures: [],
    skipped: [
      { title: 'one', reason: 'there is no server' },
      { title: 'two', reason: 'there is no server' },
      { title: 'three', reason: 'it rains' },
    ],
  };

  it('explains skips, each reason once, before the one line that counts', () => {
    assert.deepEqual(summaryLines(count), [
      'skipped: 2 tests, because there is no server',
      'skipped: 1 test, because it rains',
      '3 passed, 0 failed, 3 skipped',
    ]);
    assert.deepEqual(summaryLines({ ...count, skipped: [] }), ['3 passed, 0 failed']);
  });

  it('counts a skip as a failure in CI', () => {
    const strict = withoutSkips(count);
    assert.equal(strict.failed, 3);
    assert.match(strict.failures[2] ?? '', /^three: skipped.*it rains/);
    assert.equal(summaryLines(strict).at(-1), '3 passed, 3 failed');
  });

  describe('counts what mocha ran', function () {
    this.timeout(30_000);
    let folder = '';

    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'scoped-token-mocha-'));
    });

    after(() => rmSync(folder, { recursive: true, force: true }));

    function countOf(name: string, text: string): TestCount {
      mkdirSync(join(folder, name), { recursive: true });
      const requires = pathToFileURL(join(root, 'test', 'requires.ts')).href;
      writeFileSync(join(folder, name, 'sample.test.ts'), `import { skipBecause } from '${requires}';\n${text}`);
      const result = join(folder, `${name}.json`);
      const commandLine = ['--import', 'tsx', join('test', 'mocha.ts'), result, join(folder, name)];
      spawnSync(process.execPath, commandLine, { cwd: root, encoding: 'utf8' });
      return JSON.parse(readFileSync(result, 'utf8')) as TestCount;
    }

    it('with the reason of every skip, from a test and from a hook', () => {
      const counted = countOf(
        'skips',
        `describe('a', () => {
          it('runs', () => {});
          it('fails', () => { throw new Error('on purpose'); });
          it('skips', function () { skipBecause(this, 'of a test'); });
          describe('b', () => {
            before(function () { skipBecause(this, 'of a hook'); });
            it('one', () => {});
            it('two', () => {});
          });
        });`,
      );
      assert.deepEqual([counted.passed, counted.failed, counted.failures], [1, 1, ['a fails']]);
      assert.deepEqual(
        counted.skipped.map(({ title, reason }) => `${title}: ${reason}`),
        ['a skips: of a test', 'a b one: of a hook', 'a b two: of a hook'],
      );
    });

    it('and fails for a skip without a reason', () => {
      const counted = countOf('silent', "it.skip('later', () => {});");
      assert.deepEqual(counted.failures, ['later: skipped without a reason']);
    });
  });
});
