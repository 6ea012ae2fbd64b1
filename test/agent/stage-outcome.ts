import type { RunningProcess } from './process-table.ts';
import type { ProcessOutcome } from './step-process.ts';
import type { StepRecord } from './step-record.ts';
import type { VariableStore } from './variable-store.ts';

/** What a stage of a step left beside its record. */
export interface StageOutcome {
  readonly record: StepRecord;
  readonly startedAt: Date;
  readonly durationMilliseconds: number;
  readonly tries: number;
  readonly process: ProcessOutcome | undefined;
  readonly survivors: readonly RunningProcess[];
}

/** What surrounds a stage in its job. */
export interface StageSurroundings {
  readonly taskVariables: VariableStore;
  readonly jobCancelled: boolean;
}
