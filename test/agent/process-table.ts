import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A running process, told apart from a later one with the same pid by its start. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** Kernel clock ticks since boot. */
  readonly startTicks: number;
  /** `comm`, at most 15 characters. */
  readonly name: string;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // Gone meanwhile, or another user's.
    return Buffer.alloc(0);
  }
}

/** Reads one process; `undefined` where it is gone or a zombie. */
export function readProcess(pid: number): RunningProcess | undefined {
  const stat = read(`/proc/${pid}/stat`).toString('latin1');
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  if (close < 0 || fields[0] === 'Z' || fields[0] === 'X') {
    return undefined;
  }
  return {
    pid,
    parent: Number(fields[1]),
    startTicks: Number(fields[19]),
    name: stat.slice(stat.indexOf('(') + 1, close),
  };
}

/** All processes that can be seen, this one and zombies left out. */
export function listProcesses(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Key of a process for sets and maps. */
export function processKey(running: RunningProcess): string {
  return `${running.pid} ${running.startTicks}`;
}

/** The environment that the process was started with, as `NAME=value\0…`. Empty where it cannot be read. */
export function initialEnvironment(pid: number): Buffer {
  return read(`/proc/${pid}/environ`);
}

/** The arguments as `one\0two\0`; what stands there was visible to every user of the machine. */
export function commandLine(pid: number): Buffer {
  return read(`/proc/${pid}/cmdline`);
}

/** The working directory; empty where it cannot be read. */
export function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
