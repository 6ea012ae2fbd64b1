import type { JobIdentity } from './job-identity.ts';
import type { JobRun } from './job-run.ts';
import type { JobState } from './job-state.ts';
import type { Leak } from './leak-search.ts';
import type { AttachmentResult, Orphan, RunResult, StepResult, VariableResult } from './run-result.ts';
import type { StageOutcome } from './stage-outcome.ts';
import type { Attachment } from './upload-queue.ts';

/** What a result is made of. */
export interface ResultParts {
  readonly identity: JobIdentity;
  readonly state: JobState;
  readonly job: JobRun;
  readonly orphans: readonly Orphan[];
  readonly attachments: readonly Attachment[];
  readonly leaks: readonly Leak[];
  readonly requests: RunResult['requests'];
  readonly refusedHosts: readonly string[];
  readonly workFolder: string;
}

const summaryType = 'distributedtask.core.summary';

function shownValue(secret: boolean, value: string): { readonly value?: string } {
  return secret ? {} : { value };
}

function stepResult({ record, startedAt, process, survivors, ...outcome }: StageOutcome): StepResult {
  const { name, displayName, stage, recordId } = record.identity;
  return {
    name,
    displayName,
    stage,
    recordId,
    result: record.result ?? 'Succeeded',
    startedAt: startedAt.toISOString(),
    durationMilliseconds: outcome.durationMilliseconds,
    tries: outcome.tries,
    ...(process === undefined ? {} : { exitCode: process.exitCode }),
    outputVariables: [...record.outputs].map(([output, { value, secret }]) => ({
      name: output,
      secret,
      ...shownValue(secret, value),
    })),
    issues: record.issues,
    lingeringPipes: process?.lingeringPipes ?? false,
    forced: process?.forced ?? false,
    signals: process?.signals ?? [],
    survivors: survivors.map((running) => ({ pid: running.pid, name: running.name })),
  };
}

function variableResults({ variables }: JobState): VariableResult[] {
  return [...variables.publicVariables(), ...variables.secretVariables()].map(({ name, secret, value, setBy }) => ({
    name,
    secret,
    ...shownValue(secret, value),
    ...(setBy === undefined ? {} : { setBy }),
  }));
}

function uniqueLeaks(leaks: readonly Leak[]): Leak[] {
  return [...new Map(leaks.map((leak) => [JSON.stringify(leak), leak])).values()];
}

/** Puts the result of a run together. */
export function buildResult(parts: ResultParts): RunResult {
  const { state, job, identity, refusedHosts } = parts;
  const steps = job.outcomes.map(stepResult);
  const attachments = parts.attachments.map(
    ({ content, ...attachment }): AttachmentResult => ({ ...attachment, content: content.toString('utf8') }),
  );
  const leaks = uniqueLeaks(parts.leaks);
  const { planId, jobId, timelineId, buildId } = identity;
  return {
    result: job.result,
    ok: leaks.length === 0 && refusedHosts.length === 0,
    steps,
    variables: variableResults(state),
    issues: steps.flatMap((step) => step.issues),
    attachments,
    lostAttachments: state.uploads.lost,
    summary: attachments
      .filter(({ type }) => type.toLowerCase() === summaryType)
      .map(({ name, content }) => ({ name, content })),
    log: state.log.lines,
    requests: parts.requests,
    leaks,
    refusedHosts,
    orphans: parts.orphans,
    defects: state.defects,
    workFolder: parts.workFolder,
    ids: { planId, jobId, timelineId, buildId },
  };
}
