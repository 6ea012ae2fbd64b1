/**
 * Runs mocha over the test files and writes what came of it: `node --import tsx test/mocha.ts RESULT FOLDER…`. Called by
 * `test/run.ts`; the spec reporter is for whoever watches.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Mocha, { type Runner, type Test } from 'mocha';
import { skipReason } from './requires.ts';
import type { TestCount } from './test-count.ts';

const TIMEOUT_MILLISECONDS = 30_000;
const LINGER_MILLISECONDS = 10_000;

// Set by the coverage tool for this process. Children would inherit it and each write a coverage report of its own, and
// the agent stand-in must give its tasks an agent's environment.
delete process.env['NODE_V8_COVERAGE'];

const [resultFile, ...folders] = process.argv.slice(2);
if (resultFile === undefined || folders.length === 0) {
  throw new Error('usage: node --import tsx test/mocha.ts RESULT FOLDER…');
}
const count = await runMocha(folders);
report(count);

// Whatever keeps the process alive from here on was started by a test and not stopped.
setTimeout(() => {
  const left = process.getActiveResourcesInfo().join(', ');
  report({
    ...count,
    failed: count.failed + 1,
    failures: [...count.failures, `left running after the tests: ${left}`],
  });
  process.exit(1);
}, LINGER_MILLISECONDS).unref();

// Some versions of Node 20 spin for ever when they take their environment apart with a request under way whose server is
// gone. Leaving by exit() skips that; nothing is waiting any more when this event comes.
process.once('beforeExit', () => process.exit());

function report(result: TestCount): void {
  writeFileSync(resultFile ?? '', JSON.stringify(result));
  process.exitCode = result.failed === 0 ? 0 : 1;
}

async function runMocha(testFolders: readonly string[]): Promise<TestCount> {
  const mocha = new Mocha({
    timeout: TIMEOUT_MILLISECONDS,
    forbidOnly: true,
    reporter: 'spec',
    color: process.stdout.isTTY,
  });
  for (const folder of testFolders) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      if (file.endsWith('.test.ts')) {
        mocha.addFile(join(folder, file));
      }
    }
  }
  await mocha.loadFilesAsync();
  return new Promise((resolve) => {
    const counting = {
      passed: 0,
      failed: 0,
      failures: [] as string[],
      skipped: [] as { title: string; reason: string }[],
    };
    const runner: Runner = mocha.run(() => resolve(counting));
    runner.on('pass', () => {
      counting.passed += 1;
    });
    runner.on('fail', (test) => {
      counting.failed += 1;
      counting.failures.push(test.fullTitle());
    });
    runner.on('pending', (test: Test) => {
      const reason = skipReason(test);
      if (reason === undefined) {
        counting.failed += 1;
        counting.failures.push(`${test.fullTitle()}: skipped without a reason`);
      } else {
        counting.skipped.push({ title: test.fullTitle(), reason });
      }
    });
  });
}
