import { setTimeout as sleep } from 'node:timers/promises';
import type { Leak, LeakSearch } from './leak-search.ts';
import {
  commandLine,
  initialEnvironment,
  listProcesses,
  processKey,
  type RunningProcess,
  workingDirectory,
} from './process-table.ts';

const sampleMilliseconds = 200;
// A process that is about to end when its step does must not count as one that outlives it.
const graceMilliseconds = 250;

/**
 * Knows which processes belong to a job: those with its lookup id, those seen below a step while it ran, and those
 * that mention the agent's root in their environment, arguments or working directory.
 */
export class ProcessWatch {
  readonly #lookupId: string;
  readonly #root: string;
  readonly #before: ReadonlySet<string>;
  readonly #descendants = new Set<string>();

  constructor(lookupId: string, root: string) {
    this.#lookupId = lookupId;
    this.#root = root;
    this.#before = new Set(listProcesses().map(processKey));
  }

  /** Notes the descendants of a step's process until the returned function is called. */
  follow(pid: number): () => void {
    const sample = () => this.#sample(pid);
    const timer = setInterval(sample, sampleMilliseconds);
    sample();
    return () => clearInterval(timer);
  }

  /** The job's processes that still run, after a short grace for those about to end. */
  async survivors(): Promise<readonly RunningProcess[]> {
    if (this.belonging().length === 0) {
      return [];
    }
    await sleep(graceMilliseconds);
    return this.belonging();
  }

  /** The job's processes at this moment. */
  belonging(): RunningProcess[] {
    return listProcesses().filter((running) => !this.#before.has(processKey(running)) && this.#belongs(running));
  }

  /** Whether the agent itself would find the process at the end of the job. */
  hasLookupId(running: RunningProcess): boolean {
    return initialEnvironment(running.pid).includes(`VSTS_PROCESS_LOOKUP_ID=${this.#lookupId}`);
  }

  #belongs(running: RunningProcess): boolean {
    return (
      this.#descendants.has(processKey(running)) ||
      this.hasLookupId(running) ||
      initialEnvironment(running.pid).includes(this.#root) ||
      commandLine(running.pid).includes(this.#root) ||
      workingDirectory(running.pid).startsWith(this.#root)
    );
  }

  #sample(ancestor: number): void {
    const all = listProcesses();
    const family = new Set([ancestor]);
    for (let grown = true; grown; ) {
      grown = false;
      for (const running of all) {
        if (family.has(running.parent) && !family.has(running.pid)) {
          family.add(running.pid);
          this.#descendants.add(processKey(running));
          grown = true;
        }
      }
    }
  }
}

/** Secrets in what anyone of the same user can read of a process. */
export function findProcessLeaks(running: RunningProcess, step: string, search: LeakSearch): Leak[] {
  const who = `process ${running.pid} (${running.name}) that outlives step ${step}`;
  return [
    ...search.find(`arguments of ${who}`, commandLine(running.pid)),
    ...search.find(`environment of ${who}`, initialEnvironment(running.pid)),
  ];
}
