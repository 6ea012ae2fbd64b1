import { randomUUID, sign } from 'node:crypto';
import type { JobRegistration } from '../agent/job-server.ts';
import { Attachments } from './attachments.ts';
import { type Answer, basicCredentials, bearerToken, type Call, jsonAnswer } from './call.ts';
import type { LabBase, Route } from './https-front.ts';
import { type Job, Jobs, referencedConnection, sameText, synchronousSigner } from './jobs.ts';
import {
  apiVersion,
  notAuthenticated,
  serviceError,
  unknownRoute,
  versionMissing,
  webLayerError,
} from './service-errors.ts';
import type { SigningKey } from './signing-key.ts';
import { assertionAudience, issuerOf, organisation, subjectOf, tenantOf } from './subjects.ts';

/** Address of the organisation. */
export const collectionUri = `https://dev.azure.com/${organisation.name}/`;

interface Keys {
  readonly azureDevOps: SigningKey;
  readonly entra: SigningKey;
}

/** The Azure DevOps stand-in: a job's OIDC route and its attachments over REST. */
export class AzureDevOps {
  readonly jobs: Jobs;
  readonly attachments: Attachments;
  /** How long an assertion lives. A negative number issues one that has run out. */
  assertionLifetimeSeconds = 600;
  readonly #base: LabBase;
  readonly #keys: Keys;

  constructor(base: LabBase, keys: Keys) {
    this.#base = base;
    this.#keys = keys;
    const signJobToken = (data: string): string =>
      sign('sha256', Buffer.from(data), keys.azureDevOps.privateKey).toString('base64url');
    this.jobs = new Jobs(base, synchronousSigner(keys.azureDevOps, signJobToken));
    this.attachments = new Attachments(base.clock);
  }

  /** Registers a job; returns its token and the address of its OIDC route. */
  registerJob(registration: JobRegistration): { readonly accessToken: string; readonly oidcRequestUri: string } {
    const job = this.jobs.register(registration);
    const path = `_apis/distributedtask/hubs/${job.hub}/plans/${job.planId}/jobs/${job.jobId}/oidctoken`;
    return { accessToken: job.accessToken, oidcRequestUri: `${collectionUri}${job.projectId}/${path}` };
  }

  route(call: Call): Route {
    const server = call.path.toLowerCase().endsWith('/oidctoken') ? 'oidc' : 'azureDevOps';
    return { server, answer: () => this.#answer(call) };
  }

  async #answer(call: Call): Promise<Answer> {
    const segments = call.path.split('/').slice(1).map(decodeSegment);
    const [collection = '', project = '', ...rest] = segments;
    if (!sameText(collection, organisation.name)) return unknownRoute(call);
    const job = this.#authenticate(call);
    if (!job) return notAuthenticated(call);
    if (!sameText(project, job.projectId) && !sameText(project, job.project)) {
      return serviceError(
        404,
        'ProjectDoesNotExistWithNameException',
        `TF200016: The following project does not exist: ${project}. Verify that the name of the project is correct and that the project exists on the specified Azure DevOps Server.`,
      );
    }
    return this.#project(call, job, rest);
  }

  #authenticate(call: Call): Job | undefined {
    const token = bearerToken(call) ?? basicCredentials(call)?.password;
    return token === undefined ? undefined : this.jobs.ofToken(token);
  }

  async #project(call: Call, job: Job, segments: readonly string[]): Promise<Answer> {
    const oidc = match('_apis/distributedtask/hubs/*/plans/*/jobs/*/oidctoken', segments);
    if (oidc) return this.#oidcToken(call, job, oidc);
    const upload = match('_apis/distributedtask/hubs/*/plans/*/timelines/*/records/*/attachments/*/*', segments);
    if (upload && call.method === 'PUT') return this.#upload(call, job, upload);
    if (call.method !== 'GET') return unknownRoute(call);
    const list = match('_apis/build/builds/*/attachments/*', segments);
    if (list) return this.#ofBuild(job, list[0], () => this.attachments.list(job, list[1] ?? ''));
    const item = match('_apis/build/builds/*/*/*/attachments/*/*', segments);
    if (item) {
      const [buildId, timelineId = '', recordId = '', type = '', name = ''] = item;
      return this.#ofBuild(job, buildId, () => this.attachments.item(job, { timelineId, recordId, type, name }));
    }
    return unknownRoute(call);
  }

  async #oidcToken(call: Call, job: Job, [hub = '', planId = '', jobId = '']: readonly string[]): Promise<Answer> {
    if (call.method !== 'POST') {
      return webLayerError(405, `The requested resource does not support http method '${call.method}'.`);
    }
    if (!bearerToken(call) || job.endedAtSeconds !== undefined) return notAuthenticated(call);
    if (!apiVersion(call)) return versionMissing(call);
    if (!sameText(planId, job.planId) || !sameText(hub, job.hub)) {
      return serviceError(
        404,
        'TaskOrchestrationPlanNotFoundException',
        `No orchestration plan found with identifier ${planId}.`,
      );
    }
    if (!sameText(jobId, job.jobId)) {
      return serviceError(
        404,
        'TaskOrchestrationJobNotFoundException',
        `No job with identifier ${jobId} was found in plan ${planId}.`,
      );
    }
    const connectionId = call.query.get('serviceConnectionId');
    const token = connectionId === null ? await this.#pipelineAssertion(job) : await this.#assertion(job, connectionId);
    if (!token) return notReferenced(connectionId ?? '');
    this.#base.observations.secret('oidcToken', token);
    return jsonAnswer(200, { oidcToken: token });
  }

  async #assertion(job: Job, connectionId: string): Promise<string | undefined> {
    const connection = referencedConnection(job, connectionId);
    if (!connection) return undefined;
    const kind = connection.issuer ?? 'azureDevOps';
    const claims = {
      iss: issuerOf(kind, tenantOf(connection)),
      sub: subjectOf(kind, connection, job.project),
      aud: assertionAudience,
    };
    return this.#sign(kind === 'entra' ? this.#keys.entra : this.#keys.azureDevOps, job, claims);
  }

  /** Without a connection the token speaks for the pipeline itself. */
  #pipelineAssertion(job: Job): Promise<string> {
    const subject = `p://${organisation.name}/${job.project}/pipeline`;
    const claims = { iss: issuerOf('azureDevOps', ''), sub: subject, aud: assertionAudience };
    return this.#sign(this.#keys.azureDevOps, job, claims);
  }

  #sign(key: SigningKey, job: Job, claims: Record<string, unknown>): Promise<string> {
    const now = this.#base.clock.nowSeconds();
    const ended = this.assertionLifetimeSeconds < 0;
    return key.sign({
      jti: randomUUID(),
      ...claims,
      iat: ended ? now + 2 * this.assertionLifetimeSeconds : now,
      nbf: ended ? now + 2 * this.assertionLifetimeSeconds : now,
      exp: now + this.assertionLifetimeSeconds,
      org_id: organisation.id,
      prj_id: job.projectId,
      run_id: job.buildId,
    });
  }

  #upload(
    call: Call,
    job: Job,
    [hub = '', planId = '', timelineId = '', recordId = '', type = '', name = '']: readonly string[],
  ): Answer {
    if (job.endedAtSeconds !== undefined) return notAuthenticated(call);
    if (!sameText(planId, job.planId) || !sameText(hub, job.hub)) {
      return serviceError(
        404,
        'TaskOrchestrationPlanNotFoundException',
        `No orchestration plan found with identifier ${planId}.`,
      );
    }
    if (!sameText(timelineId, job.timelineId)) {
      return serviceError(
        404,
        'TimelineNotFoundException',
        `No timeline found for plan ${planId} with identifier ${timelineId}.`,
      );
    }
    return this.attachments.put(call, { planId: job.planId, timelineId: job.timelineId, recordId, type, name }, job);
  }

  #ofBuild(job: Job, buildId: string | undefined, answer: () => Answer): Answer {
    if (buildId === job.buildId) return answer();
    return serviceError(404, 'BuildNotFoundException', `The requested build ${buildId} could not be found.`);
  }
}

/** Since March 2026 the route speaks only for connections that the stage names. agent-contract §0, trap 12. */
function notReferenced(connectionId: string): Answer {
  const value = `There is no explicit reference to service connection ${connectionId} from current stage Build.Job.__default.`;
  return jsonAnswer(400, { count: value.length, value }, { 'x-vss-e2eid': randomUUID() });
}

/** The wildcards' values when the segments fit the pattern; fixed segments compare without letter case. */
function match(pattern: string, segments: readonly string[]): readonly string[] | undefined {
  const wanted = pattern.split('/');
  if (wanted.length !== segments.length) return undefined;
  const values: string[] = [];
  for (const [index, want] of wanted.entries()) {
    const segment = segments[index] ?? '';
    if (want === '*') values.push(segment);
    else if (!sameText(want, segment)) return undefined;
  }
  return values;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
