import { ClientAssertionCredential } from '@azure/identity';
import { ScopedTokenError } from '../errors.ts';
import { type AzureExchange, azureHttpClient } from '../io/azure-http-client.ts';
import type { HttpResponse } from '../io/http.ts';
import { badAnswer, requestIds } from '../io/unexpected-status.ts';
import type { Credential } from '../token/credential.ts';
import { readClaims, textClaim } from '../token/jwt-claims.ts';
import { Secret } from '../token/secret.ts';
import { type EntraAttempt, entraCodes, entraFailure, isPassing } from './entra-failure.ts';
import type { IdentityContext, IdentitySource } from './identity-source.ts';
import type { Assertion } from './pipeline-oidc.ts';

const assertionExpired = 700024;

/** The application or managed identity that trusts the connection. */
export interface FederatedIdentity {
  readonly tenantId: string;
  readonly clientId: string;
  /** Requests a fresh assertion; called once for every exchange. */
  readonly assertion: () => Promise<Assertion>;
}

/**
 * Workload identity federation: the pipeline's own ID token is exchanged at Microsoft Entra for an access token
 * (RFC 7521 §4.2, RFC 7523 §2.2).
 */
export function workloadFederation(identity: FederatedIdentity, context: IdentityContext): IdentitySource {
  return {
    async acquire(resource, correlationId) {
      const first = await exchange(identity, context, resource, correlationId);
      if ('token' in first) return first;
      const again = first.lapsed ? await exchange(identity, context, resource, correlationId) : first;
      if ('token' in again) return again;
      throw again.failure;
    },
  };
}

type Refused = { readonly failure: ScopedTokenError; readonly lapsed: boolean };

async function exchange(
  identity: FederatedIdentity,
  context: IdentityContext,
  resource: string,
  correlationId: string,
): Promise<Credential | Refused> {
  const assertion = await identity.assertion();
  const attempt: EntraAttempt = { ...identity, resource, assertion, expectedAudience: context.cloud.assertionAudience };
  const seen: AzureExchange = {};
  const httpClient = azureHttpClient(
    context.io.http,
    {
      peer: 'Microsoft Entra',
      allowedHosts: [context.authorityHost],
      clientRequestId: correlationId,
      alsoRetry: isPassing,
    },
    seen,
  );
  const credential = new ClientAssertionCredential(
    identity.tenantId,
    identity.clientId,
    async () => assertion.token.reveal(),
    {
      authorityHost: `https://${context.authorityHost}`,
      disableInstanceDiscovery: true,
      retryOptions: { maxRetries: 0 },
      httpClient,
    },
  );
  try {
    const token = await credential.getToken(`${resource}/.default`);
    return toCredential(token, attempt, seen.response, context);
  } catch (cause) {
    if (seen.failure) throw seen.failure;
    if (cause instanceof ScopedTokenError) throw cause;
    if (!seen.response) throw cause;
    return {
      failure: entraFailure(seen.response, attempt),
      lapsed: entraCodes(seen.response).includes(assertionExpired),
    };
  }
}

function toCredential(
  token: { token: string; expiresOnTimestamp: number },
  attempt: EntraAttempt,
  response: HttpResponse | undefined,
  context: IdentityContext,
): Credential {
  const secret = new Secret(token.token);
  context.mask(secret);
  const claims = readClaims(token.token);
  const audience = textClaim(claims, 'aud');
  if (audience !== undefined && audience.replace(/\/$/, '') !== attempt.resource.replace(/\/$/, '') && response) {
    throw badAnswer(
      'ENTRA_BAD_ANSWER',
      'Microsoft Entra',
      response,
      `It issued a token for another audience than ${attempt.resource}; nothing was done with it. Run again, and report it with the ids below if it stays.`,
    );
  }
  const objectId = textClaim(claims, 'oid');
  const uti = textClaim(claims, 'uti');
  return {
    token: secret,
    expiresOn: new Date(token.expiresOnTimestamp),
    identity: {
      source: 'workloadIdentityFederation',
      tenantId: textClaim(claims, 'tid') ?? attempt.tenantId,
      clientId: attempt.clientId,
      assertionIssuer: attempt.assertion.issuer,
      assertionSubject: attempt.assertion.subject,
      ...(objectId ? { objectId } : {}),
      ...(uti ? { uti } : {}),
    },
    ids: response ? requestIds(response) : {},
  };
}
