import type { SeenRequest } from './job-server.ts';
import type { Leak } from './leak-search.ts';
import type { Issue, StepStage } from './step-record.ts';
import type { TaskResult } from './task-result.ts';

/** An output variable of a step; no value where it is secret. */
export interface OutputVariable {
  readonly name: string;
  readonly secret: boolean;
  readonly value?: string;
}

/** A process that still ran when its step had ended. */
export interface Survivor {
  readonly pid: number;
  readonly name: string;
}

/** One stage of one step, in the order of their running. */
export interface StepResult {
  readonly name: string;
  readonly displayName: string;
  readonly stage: StepStage;
  readonly recordId: string;
  readonly result: TaskResult;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly durationMilliseconds: number;
  /** How often the handler was started; more than one with `retryCountOnTaskFailure`. */
  readonly tries: number;
  /** Of the last try; missing where no process ran. */
  readonly exitCode?: number;
  readonly outputVariables: readonly OutputVariable[];
  readonly issues: readonly Issue[];
  /** A child held the pipes open, and the step ended five seconds late. */
  readonly lingeringPipes: boolean;
  /** The process was left running after `done=true`. */
  readonly forced: boolean;
  /** Signals sent on cancel or timeout. */
  readonly signals: readonly string[];
  readonly survivors: readonly Survivor[];
}

/** A job variable at the end; no value where it is secret. */
export interface VariableResult {
  readonly name: string;
  readonly secret: boolean;
  readonly value?: string;
  /** Reference name of the step whose command set it. */
  readonly setBy?: string;
}

export interface AttachmentResult {
  readonly step: string;
  readonly stage: string;
  readonly recordId: string;
  readonly type: string;
  readonly name: string;
  /** Read as UTF-8. */
  readonly content: string;
}

/** A markdown summary (`Distributedtask.Core.Summary`). */
export interface SummaryResult {
  readonly name: string;
  readonly content: string;
}

/** A process of the job that was ended at the end of the job. */
export interface Orphan extends Survivor {
  /** `agent`: it carried the lookup id. `standIn`: it did not, and a real agent would have left it running. */
  readonly endedBy: 'agent' | 'standIn' | 'container';
}

/** What a run left. Holds no secret that the run knew of, but where a leak is reported. */
export interface RunResult {
  readonly result: TaskResult;
  /** No leak and no refused host. Says nothing about `result`. */
  readonly ok: boolean;
  readonly steps: readonly StepResult[];
  readonly variables: readonly VariableResult[];
  readonly issues: readonly Issue[];
  readonly attachments: readonly AttachmentResult[];
  /** Attachments whose file was gone when the agent came to upload it. */
  readonly lostAttachments: readonly Omit<AttachmentResult, 'content'>[];
  readonly summary: readonly SummaryResult[];
  readonly log: readonly string[];
  readonly requests: readonly SeenRequest[];
  readonly leaks: readonly Leak[];
  readonly refusedHosts: readonly string[];
  readonly orphans: readonly Orphan[];
  /** What an agent tolerates and a task should not do. */
  readonly defects: readonly string[];
  /** The agent's root; there only with `keep` or a `workFolder` of the caller's. */
  readonly workFolder: string;
  readonly ids: {
    readonly planId: string;
    readonly jobId: string;
    readonly timelineId: string;
    readonly buildId: string;
  };
}
