import { ScopedTokenError } from '../errors.ts';
import type { JobContext } from './job-context.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * Address of the pipeline's OIDC route: `System.OidcRequestUri`, or built from the job's ids where an older server does
 * not say it. The job's token may go nowhere but to the origin of the system connection, so the address must be there.
 */
export function oidcAddress(pipeline: Pipeline, job: JobContext, collectionUrl: string): string {
  if (pipeline.variable('System.ServerType')?.toLowerCase() === 'onpremises') {
    throw new ScopedTokenError('OIDC_NOT_AVAILABLE', {
      happened: 'Workload identity federation is a feature of Azure DevOps Services; this is Azure DevOps Server.',
      next: 'Use a connection with a managed identity.',
    });
  }
  const address = pipeline.variable('System.OidcRequestUri') ?? builtAddress(job, collectionUrl);
  if (originOf(address) === originOf(collectionUrl)) return address;
  throw new ScopedTokenError('HOST_NOT_ALLOWED', {
    happened: `The OIDC address of the job (${originOf(address)}) is not on the collection's own origin (${originOf(collectionUrl)}).`,
    why: "The job's access token goes to the collection only.",
    next: 'Find what sets System.OidcRequestUri in this pipeline, and remove it.',
  });
}

function builtAddress(job: JobContext, collectionUrl: string): string {
  const hub = job.hostType.toLowerCase();
  if (hub !== 'build' && hub !== 'release') {
    throw new ScopedTokenError('OIDC_NOT_AVAILABLE', {
      happened: 'The server did not say where this job gets its ID token (System.OidcRequestUri is empty).',
      why: `It can be built for the host types build and release; this job's is "${job.hostType}".`,
      next: 'Run the step in a build or release pipeline of Azure DevOps Services.',
    });
  }
  const base = collectionUrl.replace(/\/+$/, '');
  return `${base}/${job.projectId}/_apis/distributedtask/hubs/${hub}/plans/${job.planId}/jobs/${job.jobId}/oidctoken`;
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return 'no URL';
  }
}
