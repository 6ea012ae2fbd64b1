import type { IssuerFacts, RecordDraft, Where, Who } from '../audit/record.ts';
import type { Io } from '../io/io.ts';
import type { JobContext } from '../pipeline/job-context.ts';
import type { IdentityFacts } from '../token/credential.ts';

/** What every record of one try says. */
export type DraftBase = Pick<RecordDraft, 'who' | 'what' | 'where' | 'purpose'>;

/** What a single record adds. */
export type DraftEvent = Pick<RecordDraft, 'event' | 'outcome' | 'token'> & {
  readonly ids?: Readonly<Record<string, string>>;
};

/** Completes a record: its id, the times of agent and issuer. */
export function draftRecord(base: DraftBase, event: DraftEvent, intentId: string | undefined, io: Io): RecordDraft {
  const { ids, ...rest } = event;
  const own = io.uuid();
  const issuer = issuerFacts(io, ids);
  return {
    ...base,
    ...rest,
    recordId: own,
    intentId: intentId ?? own,
    time: io.clock.now().toISOString(),
    monotonicMilliseconds: Math.round(io.clock.monotonicMilliseconds()),
    ...(issuer ? { issuer } : {}),
  };
}

function issuerFacts(io: Io, ids: Readonly<Record<string, string>> | undefined): IssuerFacts | undefined {
  const date = io.http.serverDate();
  const skewSeconds = io.http.skewSeconds();
  const known = ids && Object.keys(ids).length > 0 ? { ids } : {};
  if (!date || skewSeconds === undefined) return 'ids' in known ? known : undefined;
  return { date: date.toISOString(), skewSeconds, ...known };
}

/** Where the step runs. Facts come from the agent's variables, most of which a step of the job could have rewritten. */
export function whereOf(job: JobContext, attempt: number): Where {
  const { requestedFor, requestedForId, ...facts } = job.facts;
  return {
    organisation: job.organisation,
    projectId: job.projectId,
    planId: job.planId,
    jobId: job.jobId,
    stepId: job.stepId,
    jobAttempt: job.jobAttempt,
    try: attempt,
    ...facts,
    ...(job.runId ? { runId: job.runId } : {}),
    fromVariables: [
      ...Object.keys(facts),
      ...(requestedFor ? ['requestedFor'] : []),
      ...(requestedForId ? ['requestedForId'] : []),
    ],
  };
}

/** On whose behalf; the identity is added once it is known. */
export function whoOf(job: JobContext, connectionId: string | undefined, identity?: IdentityFacts): Who {
  const { requestedFor, requestedForId } = job.facts;
  const connectionName = connectionNameIn(identity?.assertionSubject);
  return {
    ...(requestedFor ? { requestedFor } : {}),
    ...(requestedForId ? { requestedForId } : {}),
    ...(connectionId ? { connectionId } : {}),
    ...(connectionName ? { connectionName } : {}),
    ...(identity
      ? {
          source: identity.source,
          tenantId: identity.tenantId,
          clientId: identity.clientId,
          ...(identity.objectId ? { objectId: identity.objectId } : {}),
          ...(identity.assertionIssuer ? { assertionIssuer: identity.assertionIssuer } : {}),
          ...(identity.assertionSubject ? { assertionSubject: identity.assertionSubject } : {}),
        }
      : {}),
  };
}

/** The agent tells a task no connection's name; the Azure DevOps issuer's subject does: `sc://ORGANISATION/PROJECT/NAME`. */
function connectionNameIn(subject: string | undefined): string | undefined {
  return /^sc:\/\/[^/]+\/[^/]+\/(.+)$/.exec(subject ?? '')?.[1];
}
