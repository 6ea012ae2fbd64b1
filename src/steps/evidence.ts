import { ScopedTokenError } from '../errors.ts';
import { jsonObject, requestIds, shapeOf } from '../io/unexpected-status.ts';
import type { JobContext } from '../pipeline/job-context.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Secret } from '../token/secret.ts';
import type { Stage } from './stage.ts';

const peer = 'the attachments of this run';

/** One attachment of the step's record. */
export interface Attachment {
  readonly type: string;
  readonly name: string;
  readonly content: string;
}

/**
 * Puts an attachment on the step's timeline record by REST (distributedtask, "Attachments - Create"), with the job's own
 * token. EVIDENCE_NOT_CONFIRMED unless the server answers 2xx.
 */
export async function putAttachment(stage: Stage, job: JobContext, attachment: Attachment): Promise<void> {
  const hub = job.hostType.toLowerCase();
  const path = [
    job.projectId,
    '_apis',
    'distributedtask',
    'hubs',
    hub,
    'plans',
    job.planId,
    'timelines',
    job.timelineId ?? job.planId,
    'records',
    job.stepId,
    'attachments',
    attachment.type,
    attachment.name,
  ];
  const collection = collectionAccess(stage);
  const response = await stage.io.http.send({
    peer,
    method: 'PUT',
    url: `${collection.base}/${path.map(encodeURIComponent).join('/')}?api-version=7.1-preview.1`,
    ...collection.access,
    headers: { ...collection.headers, 'content-type': 'application/octet-stream' },
    body: attachment.content,
  });
  if (response.status >= 200 && response.status < 300) return;
  throw new ScopedTokenError('EVIDENCE_NOT_CONFIRMED', {
    happened: `The server did not confirm the evidence (${shapeOf(response)}).`,
    why: 'The input evidence is "confirmed", and the attachment could not be stored with the job’s own token.',
    next: 'Run again; or set evidence: attached, which attaches it through the agent.',
    provider: { code: `HTTP ${response.status}`, ids: requestIds(response) },
  });
}

/** Names of the run's attachments of a type; `undefined` when they cannot be listed. */
export async function attachmentNames(
  stage: Stage,
  job: JobContext,
  type: string,
): Promise<readonly string[] | undefined> {
  if (!job.runId || job.hostType.toLowerCase() !== 'build') return undefined;
  const collection = collectionAccess(stage);
  const response = await stage.io.http.send({
    peer,
    method: 'GET',
    url: `${collection.base}/${job.projectId}/_apis/build/builds/${encodeURIComponent(job.runId)}/attachments/${type}?api-version=7.1-preview.2`,
    ...collection.access,
    headers: collection.headers,
  });
  const list = jsonObject(response)?.['value'];
  if (response.status !== 200 || !Array.isArray(list)) return undefined;
  return list.map((entry) => String((entry as { name?: unknown } | null)?.name));
}

/** The connection to the collection. FACT_MISSING when the agent did not hand it over. */
export function requireCollection(pipeline: Pipeline): { readonly url: string; readonly accessToken: Secret } {
  const system = pipeline.systemConnection();
  if (system) return system;
  throw new ScopedTokenError('FACT_MISSING', {
    happened: 'The agent did not hand over the connection to the collection.',
    next: 'Run the step in an Azure Pipelines job, on an agent of version 3.230.0 or newer.',
  });
}

function collectionAccess({ pipeline }: Stage) {
  const system = requireCollection(pipeline);
  const url = new URL(system.url);
  return {
    base: system.url.replace(/\/+$/, ''),
    // The job's token goes to the collection's own origin only; a collection that is http is met by http.
    access: { allowedHosts: [url.hostname], plainHttp: url.protocol === 'http:' },
    headers: {
      authorization: `Bearer ${system.accessToken.reveal()}`,
      accept: 'application/json',
      'x-tfs-fedauthredirect': 'Suppress',
    },
  };
}
