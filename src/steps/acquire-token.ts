import type { TokenFacts } from '../audit/record.ts';
import { ScopedTokenError } from '../errors.ts';
import { type FederatedConnection, readFederatedConnection } from '../identity/connection.ts';
import { identitySourceOf } from '../identity/index.ts';
import { cancellation } from '../io/cancellation.ts';
import { compareFrozen, frozenVariable, readFrozenFacts } from '../pipeline/frozen-copy.ts';
import { type JobContext, readJobContext } from '../pipeline/job-context.ts';
import { oidcAddress } from '../pipeline/oidc-address.ts';
import { cloudNamed } from '../token/cloud.ts';
import type { Credential } from '../token/credential.ts';
import type { NarrowedToken } from '../token/narrowed-token.ts';
import { fingerprintOf } from '../token/text-forms.ts';
import { requireCollection } from './evidence.ts';
import { exposeToken } from './expose-token.ts';
import { type DraftBase, whereOf, whoOf } from './record-draft.ts';
import { asScopedTokenError, type Stage } from './stage.ts';
import { StepLedger } from './step-ledger.ts';
import { askedLines, connectionIdOf, readRawInputs, readTokenRequest, type TokenRequest } from './token-request.ts';

/**
 * Main stage: frozen → inputs → request → intent record → credential → narrowed token, granted compared with asked →
 * issued record → masked → secret variable. No failure changes the order.
 */
export async function acquireToken(stage: Stage): Promise<void> {
  const job = readJobContext(stage.pipeline);
  const ledger = new StepLedger(stage, job);
  const facts: Facts = { base: firstBase(stage, job, ledger.try), ids: {} };
  try {
    const judged = await judge(stage, job);
    ledger.evidence = judged.request.evidence;
    facts.base = { ...facts.base, what: intendedWhat(judged.request) };
    const intent = await ledger.add(facts.base, { event: 'intent', outcome: { code: 'OK' } });

    const credential = await requestCredential(stage, judged, intent.recordId);
    facts.base = { ...facts.base, who: whoOf(job, judged.connection.id, credential.identity) };
    facts.ids = { clientRequestId: intent.recordId, ...credential.ids };

    const context = { io: stage.io, mask: stage.pipeline.mask.bind(stage.pipeline), correlationId: intent.recordId };
    const token = await judged.request.plan.narrow(credential, context);
    const found = tokenFacts(token, credential);
    noteGranted(facts, token, found);
    refuseExcess(judged.request, token);

    refuseCancelled(stage);
    const record = await ledger.add(facts.base, {
      event: 'issued',
      outcome: { code: 'OK' },
      token: found,
      ids: facts.ids,
    });
    await ledger.handOver();
    refuseCancelled(stage);
    exposeToken(stage, judged.request, token, { recordId: record.recordId, fingerprint: found.fingerprint });
  } catch (error) {
    await recordFailure(stage, ledger, facts, asScopedTokenError(error));
    throw error;
  } finally {
    ledger.printHead();
  }
}

/** What is known so far, for the next record. */
interface Facts {
  base: DraftBase;
  ids: Readonly<Record<string, string>>;
  token?: TokenFacts;
}

/** The request, the connection and the way to its assertion. */
interface Judged {
  readonly request: TokenRequest;
  readonly connection: FederatedConnection;
  readonly oidcUri: string;
}

function firstBase({ pipeline }: Stage, job: JobContext, attempt: number): DraftBase {
  const raw = readRawInputs(pipeline);
  return {
    who: whoOf(job, connectionIdOf(pipeline)),
    what: { target: raw.target, resource: raw.resource, asked: askedLines(raw.scopes) },
    where: whereOf(job, attempt),
    ...(raw.purpose ? { purpose: raw.purpose } : {}),
  };
}

/** The environment, the inputs and the connection are judged before anything is requested. */
async function judge({ pipeline }: Stage, job: JobContext): Promise<Judged> {
  const connectionId = connectionIdOf(pipeline);
  compareFrozen(pipeline.taskVariable(frozenVariable)?.reveal(), readFrozenFacts(pipeline, connectionId));
  const fields = connectionId ? pipeline.connection(connectionId) : undefined;
  const cloud = cloudNamed(fields?.data['environment'] ?? '') ?? cloudNamed('AzureCloud');
  if (!cloud) throw new TypeError('the public cloud is in the table');
  const request = await readTokenRequest(pipeline, cloud);
  if (!fields) throw absentConnection(request.connectionId);
  const connection = readFederatedConnection(fields);
  return { request, connection, oidcUri: oidcAddress(pipeline, job, requireCollection(pipeline).url) };
}

function intendedWhat({ plan, targetName, lifetimeSeconds, variable }: TokenRequest): DraftBase['what'] {
  return {
    target: targetName,
    resource: plan.resource,
    asked: plan.asked,
    variable,
    askedLifetimeSeconds: lifetimeSeconds,
  };
}

function requestCredential(
  { pipeline, io }: Stage,
  { request, connection, oidcUri }: Judged,
  correlationId: string,
): Promise<Credential> {
  const collection = requireCollection(pipeline);
  const oidc = {
    requestUri: oidcUri,
    accessToken: collection.accessToken,
    collectionHost: new URL(collection.url).hostname,
  };
  const context = {
    io,
    cloud: connection.cloud,
    authorityHost: connection.authorityHost,
    mask: pipeline.mask.bind(pipeline),
  };
  return identitySourceOf(connection, oidc, context).acquire(request.plan.audience, correlationId);
}

function noteGranted(facts: Facts, token: NarrowedToken, found: TokenFacts): void {
  const { granted, missing, excess, enforcement, proof, notChecked } = token;
  facts.base = {
    ...facts.base,
    what: { ...facts.base.what, granted, missing, excess, enforcement, proof, notChecked },
  };
  facts.ids = { ...facts.ids, ...token.ids };
  facts.token = found;
}

function tokenFacts(token: NarrowedToken, credential: Credential): TokenFacts {
  const { uti } = credential.identity;
  return {
    fingerprint: fingerprintOf(token.value.reveal()),
    expiresOn: token.expiresOn.toISOString(),
    ...(uti ? { uti } : {}),
  };
}

/** More than was asked is never exposed. */
function refuseExcess(request: TokenRequest, token: NarrowedToken): void {
  if (token.excess.length === 0) return;
  throw new ScopedTokenError('GRANTED_EXCESS', {
    happened: `${request.plan.resource} granted more than was declared: ${token.excess.join('; ')}.`,
    why: `Declared was: ${request.plan.asked.join('; ')}. The token was not exposed; it cannot be revoked and expires at ${token.expiresOn.toISOString()}.`,
    next: 'Report it to the target’s administrator: its issuer gave more than it was asked for.',
  });
}

function refuseCancelled({ io }: Stage): void {
  if (io.cancelled.aborted) throw cancellation();
}

/** Leaves a record of what went wrong. It never hides the failure that is being recorded. */
async function recordFailure(
  { pipeline }: Stage,
  ledger: StepLedger,
  facts: Facts,
  error: ScopedTokenError,
): Promise<void> {
  if (ledger.isAttached) return;
  const provider = error.text.provider;
  const outcome = {
    code: error.code,
    reason: error.text.happened,
    ...(provider?.code ? { providerCode: provider.code } : {}),
  };
  const event = error.code === 'CANCELLED' ? 'cancelled' : 'failed';
  try {
    await ledger.add(facts.base, {
      event,
      outcome,
      ids: { ...facts.ids, ...provider?.ids },
      ...(facts.token ? { token: facts.token } : {}),
    });
  } catch (second) {
    const known = asScopedTokenError(second);
    if (known.code !== error.code)
      pipeline.warning(known.code, `${known.text.happened} The record of this failure stands in the log only.`);
  }
  ledger.attach();
}

function absentConnection(connectionId: string): ScopedTokenError {
  return new ScopedTokenError('CONNECTION_UNUSABLE', {
    happened: `The agent handed over no service connection ${connectionId}.`,
    why: 'It was deleted, is not shared with this project, or may not be used by this pipeline; or the run is for a pull request from a fork.',
    next: 'Check azureConnection, and the connection’s pipeline permissions (Project settings > Service connections > … > Security).',
  });
}
