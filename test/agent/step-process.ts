import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Environment } from './environment.ts';
import { LineSplitter } from './line-splitter.ts';

/** A process to run as the agent runs one. */
export interface ProcessRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: Environment;
  /** One line for its standard input, which is closed after it. */
  readonly input?: string;
  /** Called for every line, in the agent's order: of what came together, standard error comes first. */
  readonly onLine: (line: string) => void;
  readonly onStart: (pid: number) => void;
  /** Cancels the step. */
  readonly cancel: AbortSignal;
  /** Resolves when the agent stops waiting (`done=true` and five seconds). */
  readonly forced: Promise<void>;
  readonly sigintMilliseconds: number;
  readonly sigtermMilliseconds: number;
  /** `lost`: the signals reach the container tool only, which ends and leaves the process running. */
  readonly signals: 'delivered' | 'lost';
}

export interface ProcessOutcome {
  /** 128 plus the number of the signal that ended it. */
  readonly exitCode: number;
  /** A child held the pipes open after the exit; five seconds went by. */
  readonly lingeringPipes: boolean;
  readonly cancelled: boolean;
  /** The process was marked done and did not exit in time; what it prints later is dropped. */
  readonly forced: boolean;
  /** Signals sent on cancel, in order. */
  readonly signals: readonly NodeJS.Signals[];
}

// What arrives within this time counts as one batch: the worst case for a secret that is registered on one stream
// and printed on the other.
const batchMilliseconds = 20;
const pipeWaitMilliseconds = 5000;

/** Collects lines of both streams and hands them on in batches. */
class OutputBatches {
  readonly #onLine: (line: string) => void;
  #errors: string[] = [];
  #output: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  attach(stream: NodeJS.ReadableStream, kind: 'errors' | 'output'): void {
    const splitter = new LineSplitter();
    stream.on('data', (chunk: Buffer) => this.#add(kind, splitter.push(chunk)));
    stream.on('end', () => this.#add(kind, splitter.end()));
    stream.on('error', () => {});
  }

  /** Hands on what is there. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = [...this.#errors, ...this.#output];
    this.#errors = [];
    this.#output = [];
    for (const line of lines) {
      this.#onLine(line);
    }
  }

  /** Hands on what is there, and drops what comes later. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  #add(kind: 'errors' | 'output', lines: readonly string[]): void {
    if (this.#closed || lines.length === 0) {
      return;
    }
    (kind === 'errors' ? this.#errors : this.#output).push(...lines);
    this.#timer ??= setTimeout(() => this.flush(), batchMilliseconds);
  }
}

function exitNumber(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/** SIGINT, then SIGTERM, then SIGKILL, each to the one process and never to its children. */
class Cancellation {
  readonly signals: NodeJS.Signals[] = [];
  #timers: NodeJS.Timeout[] = [];

  start(child: ChildProcess, waits: { sigint: number; sigterm: number }): void {
    const send = (signal: NodeJS.Signals) => {
      this.signals.push(signal);
      child.kill(signal);
    };
    send('SIGINT');
    this.#timers = [
      setTimeout(() => send('SIGTERM'), waits.sigint),
      setTimeout(() => send('SIGKILL'), waits.sigint + waits.sigterm),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
  }
}

interface Ending {
  readonly exitCode: number;
  readonly lingeringPipes: boolean;
  readonly forced: boolean;
}

/** Resolves at exit with both pipes at their end, five seconds after the exit otherwise, or when forced. */
function waitForEnd(child: ChildProcess, request: ProcessRequest, lostSignal: Promise<void>): Promise<Ending> {
  return new Promise<Ending>((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const end = (ending: Ending) => {
      clearTimeout(timer);
      resolve(ending);
    };
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      const exitCode = exitNumber(code, signal);
      timer = setTimeout(() => end({ exitCode, lingeringPipes: true, forced: false }), pipeWaitMilliseconds);
    });
    child.on('close', (code, signal) =>
      end({ exitCode: exitNumber(code, signal), lingeringPipes: false, forced: false }),
    );
    request.forced.then(() => end({ exitCode: 0, lingeringPipes: false, forced: true }));
    lostSignal.then(() => end({ exitCode: exitNumber(null, 'SIGINT'), lingeringPipes: false, forced: false }));
  });
}

/** Runs a process to its end. Rejects only where it cannot be started. */
export async function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const child = spawn(request.file, request.args, {
    cwd: request.cwd,
    env: { ...request.environment, TF_BUILD: 'True' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const batches = new OutputBatches(request.onLine);
  batches.attach(child.stdout, 'output');
  batches.attach(child.stderr, 'errors');
  child.stdin.on('error', () => {});
  child.stdin.end(request.input ?? '');
  if (child.pid !== undefined) {
    request.onStart(child.pid);
  }
  const cancellation = new Cancellation();
  let onLostSignal = () => {};
  const lostSignal = new Promise<void>((resolve) => {
    onLostSignal = resolve;
  });
  const onCancel = () => {
    if (request.signals === 'lost') {
      onLostSignal();
    } else {
      cancellation.start(child, { sigint: request.sigintMilliseconds, sigterm: request.sigtermMilliseconds });
    }
  };
  request.cancel.addEventListener('abort', onCancel, { once: true });
  if (request.cancel.aborted) {
    onCancel();
  }
  try {
    const ending = await waitForEnd(child, request, lostSignal);
    batches.close();
    return { ...ending, cancelled: request.cancel.aborted, signals: cancellation.signals };
  } finally {
    cancellation.stop();
    request.cancel.removeEventListener('abort', onCancel);
    // From here on a child that still writes gets EPIPE.
    child.stdout.destroy();
    child.stderr.destroy();
  }
}
