import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const longestMilliseconds = 15_000;

/** What a process left. */
export interface ChildResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Node process that runs lines of TypeScript modules. */
export interface ChildChoices {
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly words?: readonly string[];
  /** Called with every piece of standard output. */
  readonly onOutput?: (text: string, child: ChildProcess) => void;
}

/**
 * Runs `script`, an ES module that may import from the repository's root as `./src/…`, in a process of its own with a
 * small environment.
 */
export async function runChild(script: string, choices: ChildChoices = {}): Promise<ChildResult> {
  const coverage = process.env['NODE_V8_COVERAGE'];
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      '--import',
      './test/unit/pipeline/task-library-hooks.mjs',
      '--input-type=module',
      '-e',
      script,
      '--',
      ...(choices.words ?? []),
    ],
    {
      cwd: root,
      env: {
        PATH: process.env['PATH'] ?? '',
        ...(coverage ? { NODE_V8_COVERAGE: coverage } : {}),
        ...choices.environment,
      },
    },
  );
  // A child that does not end is no reason for the test run not to end.
  const watch = setTimeout(() => child.kill('SIGKILL'), longestMilliseconds);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    choices.onOutput?.(text, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(choices.input ?? '');
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(watch);
  return { status, signal, stdout, stderr };
}
