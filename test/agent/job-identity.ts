import { randomUUID } from 'node:crypto';
import type { JobRegistration } from './job-server.ts';
import type { RunOptions } from './run-options.ts';

/** Ids and names of one job. */
export interface JobIdentity {
  readonly project: string;
  readonly projectId: string;
  readonly planId: string;
  readonly jobId: string;
  readonly timelineId: string;
  readonly buildId: string;
  readonly hub: 'build' | 'release';
  readonly attempt: number;
}

/** Takes the given ids and makes the others. */
export function makeIdentity(options: RunOptions): JobIdentity {
  const { ids } = options;
  return {
    project: 'Fabrikam',
    projectId: ids?.projectId ?? 'a7573007-bbb3-4341-b726-0c4148a07853',
    planId: ids?.planId ?? randomUUID(),
    jobId: ids?.jobId ?? randomUUID(),
    timelineId: ids?.timelineId ?? randomUUID(),
    buildId: ids?.buildId ?? '4711',
    hub: options.hostType ?? 'build',
    attempt: options.attempt ?? 1,
  };
}

/** The job as the servers are told of it. */
export function registrationOf(
  identity: JobIdentity,
  options: RunOptions,
  referenced: readonly string[],
): JobRegistration {
  const { attempt: _, ...ids } = identity;
  return {
    ...ids,
    referencedConnections: options.referencedConnections ?? referenced,
    connections: options.connections,
  };
}
