import type { JobLog } from './job-log.ts';
import type { SecretMasker } from './secret-masker.ts';
import type { Restrictions } from './task-definition.ts';
import type { TaskResult } from './task-result.ts';
import type { VariableStore } from './variable-store.ts';

export type StepStage = 'pre' | 'main' | 'post' | 'script';

/** An error or warning on a step's timeline record. */
export interface Issue {
  readonly type: 'error' | 'warning';
  readonly code?: string;
  /** Masked. */
  readonly message: string;
  /** Reference name of the step. */
  readonly step: string;
  /** Other properties; the agent does not mask them. */
  readonly properties: Readonly<Record<string, string>>;
}

export interface StepIdentity {
  /** Timeline record: the task's own id for the main stage, a new one for pre-job and post-job. */
  readonly recordId: string;
  /** What the record of the main stage is called; the same in all stages (`System.TaskInstanceId`). */
  readonly instanceId: string;
  /** Reference name: `name:` of the step, or the one that the server makes. */
  readonly name: string;
  readonly displayName: string;
  readonly stage: StepStage;
}

/** What a step's record draws on. */
export interface RecordSurroundings {
  readonly log: JobLog;
  readonly masker: SecretMasker;
  /** Shared by the stages of one step instance and by its retries. */
  readonly taskVariables: VariableStore;
  readonly restrictions: readonly Restrictions[];
}

const maximumIssues = 10;

/** The timeline record of one stage of one step, with what its commands changed. */
export class StepRecord {
  readonly identity: StepIdentity;
  readonly taskVariables: VariableStore;
  readonly restrictions: readonly Restrictions[];
  /** Names that task.json declares as output variables. */
  readonly outputNames = new Set<string>();
  readonly outputs = new Map<string, { readonly value: string; readonly secret: boolean }>();
  readonly issues: Issue[] = [];
  /** Every text that stood in the record's `CurrentOperation`, or in a detail record: the agent masks none of them. */
  readonly progressTexts: string[] = [];
  readonly details = new Set<string>();
  result: TaskResult | undefined;
  /** What failed commands made of the step; merged into the result at its end. */
  commandResult: TaskResult | undefined;
  percentComplete = 0;
  /** Called when `task.complete` said `done=true`. */
  onForceComplete: () => void = () => {};
  readonly #log: JobLog;
  readonly #masker: SecretMasker;

  constructor(identity: StepIdentity, surroundings: RecordSurroundings) {
    this.identity = identity;
    this.#log = surroundings.log;
    this.#masker = surroundings.masker;
    this.taskVariables = surroundings.taskVariables;
    this.restrictions = surroundings.restrictions;
  }

  output(line: string): void {
    this.#log.write(line);
  }

  error(message: string): void {
    this.addIssue('error', message);
  }

  warning(message: string): void {
    this.addIssue('warning', message);
  }

  /** Logs an issue and keeps the first ten of its type on the record. */
  addIssue(type: Issue['type'], message: string, properties: Readonly<Record<string, string>> = {}): void {
    const masked = this.#masker.mask(message);
    if (masked !== '') {
      this.#log.write(`##[${type}]${masked}`);
    }
    if (this.issues.filter((issue) => issue.type === type).length < maximumIssues) {
      const { code } = properties;
      const step = this.identity.name;
      this.issues.push({ type, ...(code === undefined ? {} : { code }), message: masked, step, properties });
    }
  }

  progress(percent: number, operation: string): void {
    this.percentComplete = Math.max(this.percentComplete, percent);
    if (operation !== '') {
      this.progressTexts.push(operation);
    }
  }
}
