import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server that runs as a process of its own. */
export interface ServerProcess {
  /** What the readiness pattern's first group matched. */
  readonly readyValue: string;
  /** Ends the process at once and waits until it is gone. */
  stop(): Promise<void>;
}

export interface ServerProcessOptions {
  /** How errors name it. */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Matched against what it prints; its first group is handed back. */
  readonly ready: RegExp;
  /** A folder to remove when the process is ended, which happens even when this process is killed hard. */
  readonly removeAtEnd?: string;
  readonly startLimitMilliseconds?: number;
}

/**
 * The shell holds our pipe open and kills its child when the pipe ends. A pipe ends even when this process is killed
 * hard, so no server outlives it. The servers keep nothing worth a graceful end.
 */
const watchScript = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
( cat <&3 >/dev/null; kill -KILL $child; [ -z "$REMOVE_AT_END" ] || rm -rf -- "$REMOVE_AT_END" ) >/dev/null 2>&1 &
exec 3<&-
wait $child 2>/dev/null`;

/** Starts a server and waits until it prints that it is ready. Throws with its last output when it does not. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const child = spawn('/bin/sh', ['-c', watchScript, 'sh', options.command, ...options.arguments], {
    cwd: options.folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: options.folder,
      REMOVE_AT_END: options.removeAtEnd ?? '',
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group, so that an interrupt typed at a terminal reaches the lab first.
    detached: true,
  });
  const stop = (): Promise<void> => end(child);
  try {
    return { readyValue: await readiness(child, options), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function readiness(child: ChildProcess, options: ServerProcessOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    let ready = false;
    const fail = (why: string): void => {
      clearTimeout(limit);
      reject(new Error(`${options.name} did not start: ${why}\n${output.slice(-2000)}`));
    };
    const limit = setTimeout(() => fail('no sign of readiness in time'), options.startLimitMilliseconds ?? 30_000);
    const read = (chunk: Buffer): void => {
      // After readiness the output is only drained, so that the pipe cannot fill up.
      if (ready) return;
      output += chunk.toString('utf8');
      const match = options.ready.exec(output);
      if (!match) return;
      ready = true;
      clearTimeout(limit);
      resolve(match[1] ?? '');
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code) => fail(`it ended with code ${code}`));
  });
}

async function end(child: ChildProcess): Promise<void> {
  child.stdin?.on('error', () => undefined);
  child.stdin?.end();
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const limit = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), 3000);
  await once(child, 'exit');
  clearTimeout(limit);
}
