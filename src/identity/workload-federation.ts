import type { ScopedTokenError } from '../errors.ts';
import type { HttpResponse } from '../io/http.ts';
import { badAnswer, jsonObject, requestIds, tokenField } from '../io/unexpected-status.ts';
import type { Credential } from '../token/credential.ts';
import { type Claims, readClaims, textClaim } from '../token/jwt-claims.ts';
import { Secret } from '../token/secret.ts';
import { type EntraAttempt, entraCodes, entraFailure, isPassing } from './entra-failure.ts';
import type { IdentityContext, IdentitySource } from './identity-source.ts';
import type { Assertion } from './pipeline-oidc.ts';

const peer = 'Microsoft Entra';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const assertionExpired = 700024;

/** The application or managed identity that trusts the connection. */
export interface FederatedIdentity {
  readonly tenantId: string;
  readonly clientId: string;
  /** Requests a fresh assertion; called once for every exchange. */
  readonly assertion: () => Promise<Assertion>;
}

/**
 * Workload identity federation: the pipeline's own ID token is exchanged at Microsoft Entra for an access token (RFC 6749
 * §4.4 with the client assertion of RFC 7523 §2.2). An assertion that ran out on the way is replaced once.
 */
export function workloadFederation(identity: FederatedIdentity, context: IdentityContext): IdentitySource {
  return {
    async acquire(resource, correlationId) {
      for (let mayRepeat = true; ; mayRepeat = false) {
        const outcome = await exchange(identity, context, resource, correlationId);
        if ('token' in outcome) return outcome;
        if (!mayRepeat || !outcome.hasLapsed) throw outcome.failure;
      }
    },
  };
}

type Refused = { readonly failure: ScopedTokenError; readonly hasLapsed: boolean };

async function exchange(
  identity: FederatedIdentity,
  context: IdentityContext,
  resource: string,
  correlationId: string,
): Promise<Credential | Refused> {
  const assertion = await identity.assertion();
  const { tenantId, clientId } = identity;
  const response = await context.io.http.send({
    peer,
    method: 'POST',
    url: `https://${context.authorityHost}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`,
    allowedHosts: [context.authorityHost],
    alsoRetry: isPassing,
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'client-request-id': correlationId },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope: `${resource}/.default`,
      client_assertion_type: assertionType,
      client_assertion: assertion.token.reveal(),
    }).toString(),
  });
  const attempt: EntraAttempt = {
    tenantId,
    clientId,
    resource,
    assertion,
    expectedAudience: context.cloud.assertionAudience,
  };
  const answer = response.status === 200 ? jsonObject(response) : undefined;
  const token = answer && tokenField(response, 'access_token');
  const lifetimeSeconds = Number(answer?.['expires_in']);
  if (token && lifetimeSeconds > 0) {
    const secret = new Secret(token);
    context.mask(secret);
    return toCredential({ token: secret, lifetimeSeconds }, attempt, response, context);
  }
  return { failure: entraFailure(response, attempt), hasLapsed: entraCodes(response).includes(assertionExpired) };
}

function toCredential(
  { token, lifetimeSeconds }: { readonly token: Secret; readonly lifetimeSeconds: number },
  attempt: EntraAttempt,
  response: HttpResponse,
  context: IdentityContext,
): Credential {
  const claims = readClaims(token.reveal());
  refuseOtherAudience(claims, attempt, response);
  const objectId = textClaim(claims, 'oid');
  const uti = textClaim(claims, 'uti');
  return {
    token,
    expiresOn: new Date(context.io.clock.now().getTime() + lifetimeSeconds * 1000),
    identity: {
      source: 'workloadIdentityFederation',
      tenantId: textClaim(claims, 'tid') ?? attempt.tenantId,
      clientId: attempt.clientId,
      assertionIssuer: attempt.assertion.issuer,
      assertionSubject: attempt.assertion.subject,
      ...(objectId ? { objectId } : {}),
      ...(uti ? { uti } : {}),
    },
    ids: requestIds(response),
  };
}

function refuseOtherAudience(claims: Claims | undefined, attempt: EntraAttempt, response: HttpResponse): void {
  const audience = textClaim(claims, 'aud');
  if (audience === undefined || audience.replace(/\/$/, '') === attempt.resource.replace(/\/$/, '')) return;
  const next = `It issued a token for another audience than ${attempt.resource}; nothing was done with it. Run again, and report it with the ids below if it stays.`;
  throw badAnswer('ENTRA_BAD_ANSWER', peer, response, next);
}
