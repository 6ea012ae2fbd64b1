import { ScopedTokenError } from '../errors.ts';
import type { Pipeline } from './pipeline.ts';

/** Facts of the job, read from the agent's variables. A step of the job can rewrite most of them. */
export interface JobContext {
  readonly organisation: string;
  readonly projectId: string;
  readonly planId: string;
  readonly jobId: string;
  readonly timelineId?: string;
  /** The main stage's record in the run's timeline. */
  readonly stepId: string;
  /** `build`, `release`, … (`System.HostType`). */
  readonly hostType: string;
  readonly jobAttempt: number;
  readonly tempFolder: string;
  readonly runId?: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** Variables that become facts of a record, by the record's field name. */
const factVariables = {
  project: 'System.TeamProject',
  pipeline: 'Build.DefinitionName',
  pipelineId: 'System.DefinitionId',
  pipelineRevision: 'Build.DefinitionVersion',
  run: 'Build.BuildNumber',
  stage: 'System.StageDisplayName',
  job: 'System.JobDisplayName',
  step: 'Task.DisplayName',
  agent: 'Agent.Name',
  agentVersion: 'Agent.Version',
  repository: 'Build.Repository.Name',
  branch: 'Build.SourceBranch',
  commit: 'Build.SourceVersion',
  requestedFor: 'Build.RequestedFor',
  requestedForId: 'Build.RequestedForId',
} as const;

/** In a classic release the `Build.*` variables tell of the build that made its artifact. */
const releaseVariables: Readonly<Record<string, string>> = {
  pipeline: 'Release.DefinitionName',
  pipelineId: 'Release.DefinitionId',
  pipelineRevision: 'Release.DefinitionVersion',
  run: 'Release.ReleaseName',
  stage: 'Release.EnvironmentName',
  requestedFor: 'Release.RequestedFor',
  requestedForId: 'Release.RequestedForID',
};

/** Reads the job's facts. FACT_MISSING names every one that is needed and absent. */
export function readJobContext(pipeline: Pipeline): JobContext {
  const missing: string[] = [];
  const need = (name: string): string => {
    const value = pipeline.variable(name);
    if (value === undefined) missing.push(name);
    return value ?? '';
  };
  // Releases have the older name only.
  const collectionUri =
    pipeline.variable('System.CollectionUri') ??
    pipeline.variable('System.TeamFoundationCollectionUri') ??
    need('System.CollectionUri');
  const timelineId = pipeline.variable('System.TimelineId');
  const hostType = need('System.HostType');
  const isRelease = hostType.toLowerCase() === 'release';
  const runId = pipeline.variable(isRelease ? 'Release.ReleaseId' : 'Build.BuildId');
  const context: JobContext = {
    organisation: organisationOf(collectionUri),
    projectId: need('System.TeamProjectId'),
    planId: need('System.PlanId'),
    jobId: need('System.JobId'),
    stepId: need('System.TaskInstanceId'),
    hostType,
    tempFolder: need('Agent.TempDirectory'),
    jobAttempt: Number(pipeline.variable('System.JobAttempt') ?? '1') || 1,
    facts: readFacts(pipeline, isRelease),
    ...(timelineId ? { timelineId } : {}),
    ...(runId ? { runId } : {}),
  };
  if (missing.length === 0) return context;
  throw new ScopedTokenError('FACT_MISSING', {
    happened: `The agent did not say ${missing.join(', ')}.`,
    why: 'The task runs outside an Azure Pipelines job, or on an agent that is too old.',
    next: 'Run it in a pipeline, on an agent of version 3.230.0 or newer.',
  });
}

function readFacts(pipeline: Pipeline, isRelease: boolean): Record<string, string> {
  const facts: Record<string, string> = {};
  const variables = { ...factVariables, ...(isRelease ? releaseVariables : {}) };
  for (const [field, name] of Object.entries(variables)) {
    const value = pipeline.variable(name);
    if (value !== undefined) facts[field] = value;
  }
  return facts;
}

/** `contoso` of `https://dev.azure.com/contoso/`, `https://contoso.visualstudio.com/`; else the host and path. */
function organisationOf(collectionUri: string): string {
  const match = /^https:\/\/(?:dev\.azure\.com\/([^/]+)|([^./]+)\.visualstudio\.com)(?:\/|$)/i.exec(collectionUri);
  return match?.[1] ?? match?.[2] ?? collectionUri.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
