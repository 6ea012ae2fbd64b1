/** The checks behind `npm test`, each counted as a test: format and lint, types, package, unit tests and scenarios. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageExtension } from '../packaging/package.ts';
import { parseVariant } from '../packaging/variant.ts';
import { installDebianPackages } from './install-debian.ts';
import { installNode24 } from './node24.ts';
import { PACKAGE_VARIABLE, root } from './packaged.ts';
import { addCounts, summaryLines, type TestCount, withoutSkips } from './test-count.ts';

const module = (path: string): string => join(root, 'node_modules', path);
const BIOME = [module('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings'];
const TSC = module('typescript/bin/tsc');
const TEST_FOLDERS = ['test/unit', 'test/scenarios'];

/** Runs everything, prints as it goes, and ends with the summary. Returns the process's exit code. */
export async function runChecks(): Promise<number> {
  console.log(`Node ${process.versions.node}`);
  installDebianPackages((line) => console.log(line));
  installNode24((line) => console.log(line));
  const [checks, [packaging, vsixFile]] = await Promise.all([runStaticChecks(), runPackaging()]);
  let count = addCounts(checks, packaging);
  // Without a package the scenarios would only repeat, slowly, that there is none.
  count = vsixFile === undefined ? count : addCounts(count, await runMocha(vsixFile));
  count = process.env['CI'] === 'true' ? withoutSkips(count) : count;
  console.log(`\n${summaryLines(count).join('\n')}`);
  return count.failed === 0 ? 0 : 1;
}

async function runStaticChecks(): Promise<TestCount> {
  const lint = await runCheck('format and lint', BIOME);
  const types = await runCheck('types', [TSC, '-p', 'tsconfig.json']);
  const pure = await runCheck('types without Node or DOM', [TSC, '-p', 'tsconfig.pure.json']);
  return [types, pure].reduce(addCounts, lint);
}

async function runPackaging(): Promise<readonly [TestCount, string | undefined]> {
  const title = 'package';
  const start = performance.now();
  try {
    const options = { root, outFolder: join(root, 'dist'), variant: parseVariant([]) };
    const { vsixFile, sizeBytes } = await packageExtension(options);
    return [judged(title, true, start, `${sizeBytes} bytes`), vsixFile];
  } catch (error) {
    return [judged(title, false, start, error instanceof Error ? error.message : String(error)), undefined];
  }
}

async function runCheck(title: string, commandLine: readonly string[]): Promise<TestCount> {
  const start = performance.now();
  const node = spawn(process.execPath, commandLine, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [node.stdout, node.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  const exitCode = await ended(node);
  return judged(title, exitCode === 0, start, exitCode === 0 ? '' : output.trim());
}

async function runMocha(vsixFile: string): Promise<TestCount> {
  const folder = mkdtempSync(join(tmpdir(), 'scoped-token-tests-'));
  const resultFile = join(folder, 'result.json');
  const coverage = [module('c8/bin/c8.js'), '--all', '--include', 'src/**', '--reporter', 'text-summary'];
  coverage.push('--temp-directory', join(folder, 'coverage'));
  // Without it mocha would load tests by `require`, and the modules under test would exist twice.
  const mocha = [
    process.execPath,
    '--no-experimental-require-module',
    '--import',
    'tsx',
    'test/mocha.ts',
    resultFile,
    ...TEST_FOLDERS,
  ];
  const env = { ...process.env, [PACKAGE_VARIABLE]: vsixFile };
  try {
    await ended(
      spawn(process.execPath, [...coverage, ...mocha], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }),
    );
    return JSON.parse(readFileSync(resultFile, 'utf8')) as TestCount;
  } catch {
    return { passed: 0, failed: 1, failures: ['mocha ended without a result; its output says why'], skipped: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judged(title: string, isGood: boolean, start: number, detail: string): TestCount {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const separator = isGood ? ', ' : '\n';
  console.log(`${isGood ? 'ok' : 'NOT OK'}: ${title} (${seconds} s)${detail === '' ? '' : `${separator}${detail}`}`);
  return { passed: isGood ? 1 : 0, failed: isGood ? 0 : 1, failures: isGood ? [] : [title], skipped: [] };
}

function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
}
