import { randomUUID } from 'node:crypto';
import type { Connection, JobRegistration } from '../agent/job-server.ts';
import type { LabBase } from './https-front.ts';
import type { SigningKey } from './signing-key.ts';
import { azureDevOpsApplicationId, organisation } from './subjects.ts';

/** A registered job and the state of its access token. */
export interface Job extends JobRegistration {
  readonly accessToken: string;
  /** Lab time at which the job ended, in seconds; undefined while it runs. */
  endedAtSeconds: number | undefined;
}

/** The jobs of a lab. Their tokens outlive them for a while, as those of the service do. */
export class Jobs {
  /** How long an ended job's token still reads. Two hours were reported of the service. */
  tokenGraceSeconds = 2 * 60 * 60;
  readonly #base: LabBase;
  readonly #sign: (claims: Record<string, unknown>) => string;
  readonly #jobs = new Map<string, Job>();

  constructor(base: LabBase, sign: (claims: Record<string, unknown>) => string) {
    this.#base = base;
    this.#sign = sign;
  }

  /** Registers a job and gives it a token. A job that is registered again gets a new one. */
  register(registration: JobRegistration): Job {
    const now = this.#base.clock.nowSeconds();
    const accessToken = this.#sign({
      nameid: randomUUID(),
      scp: `app_token:${randomUUID()}`,
      aui: randomUUID(),
      prj: registration.projectId,
      orgid: organisation.id,
      orchid: `${registration.planId}.stage.job.__default`,
      iss: 'app.vstoken.visualstudio.com',
      aud: `app.vstoken.visualstudio.com|vso:${azureDevOpsApplicationId}`,
      nbf: now,
      exp: now + 24 * 60 * 60,
      jti: randomUUID(),
    });
    this.#base.observations.secret('jobToken', accessToken);
    const job: Job = { ...registration, accessToken, endedAtSeconds: undefined };
    this.#jobs.set(registration.jobId, job);
    return job;
  }

  /** Ends a job. Unknown ids are an error of the caller. */
  end(jobId: string): void {
    const job = this.#jobs.get(jobId);
    if (!job) throw new Error(`no job ${jobId} is registered`);
    job.endedAtSeconds ??= this.#base.clock.nowSeconds();
  }

  /** The job whose token this is, while the token lives. */
  ofToken(token: string): Job | undefined {
    const now = this.#base.clock.nowSeconds();
    for (const job of this.#jobs.values()) {
      if (job.accessToken !== token) continue;
      const alive = job.endedAtSeconds === undefined || now < job.endedAtSeconds + this.tokenGraceSeconds;
      return alive ? job : undefined;
    }
    return undefined;
  }

  ofPlan(planId: string): Job | undefined {
    return [...this.#jobs.values()].find((job) => sameText(job.planId, planId));
  }
}

/** Whether a job's stage names a connection, so that the OIDC route may speak for it. */
export function referencedConnection(job: Job, connectionId: string): Connection | undefined {
  if (!job.referencedConnections.some((id) => sameText(id, connectionId))) return undefined;
  return job.connections.find((connection) => sameText(connection.id, connectionId));
}

/** Equality without letter case, as the service compares ids and project names. */
export function sameText(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** A synchronous signature for the jobs' tokens: registration cannot wait. */
export function synchronousSigner(
  key: SigningKey,
  sign: (data: string) => string,
): (claims: Record<string, unknown>) => string {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return (claims) => {
    const data = `${encode({ typ: 'JWT', alg: 'RS256', kid: key.keyId, x5t: key.keyId })}.${encode(claims)}`;
    return `${data}.${sign(data)}`;
  };
}
