import { ScopedTokenError } from '../errors.ts';
import type { HttpResponse } from '../io/http.ts';
import type { Io } from '../io/io.ts';
import {
  badAnswer,
  jsonObject,
  outage,
  providerSentence,
  requestIds,
  shapeOf,
  tokenField,
} from '../io/unexpected-status.ts';
import { readClaims, textClaim } from '../token/jwt-claims.ts';
import { Secret } from '../token/secret.ts';

const peer = "the pipeline's OIDC route";

/** Where and as whom the job asks for its own ID token. */
export interface PipelineOidc {
  /** `System.OidcRequestUri`, or the address built from the job's ids. */
  readonly requestUri: string;
  readonly accessToken: Secret;
  readonly connectionId: string;
  /** Host of the system connection: the job's token goes nowhere else. */
  readonly collectionHost: string;
}

/** An Azure DevOps ID token for a connection, used as assertion. */
export interface Assertion {
  readonly token: Secret;
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

/**
 * Requests a fresh ID token for the connection: `POST …/oidctoken?api-version=7.1&serviceConnectionId=…`
 * (Azure DevOps REST, distributedtask/oidctoken). Throws OIDC_*.
 */
export async function requestAssertion(oidc: PipelineOidc, io: Io, mask: (value: Secret) => void): Promise<Assertion> {
  const url = new URL(oidc.requestUri);
  url.pathname = url.pathname.replace(/\/+$/, '');
  url.searchParams.set('api-version', '7.1');
  url.searchParams.set('serviceConnectionId', oidc.connectionId);
  const response = await io.http.send({
    peer,
    method: 'POST',
    url: url.href,
    allowedHosts: [oidc.collectionHost],
    headers: {
      authorization: `Bearer ${oidc.accessToken.reveal()}`,
      'content-type': 'application/json',
      // Without it a refused token is answered with a redirect to a sign-in page.
      'x-tfs-fedauthredirect': 'Suppress',
    },
  });
  if (response.status !== 200) throw refusal(response, oidc.connectionId);
  const token = tokenField(response, 'oidcToken');
  if (token === undefined) throw emptyAnswer(response, oidc.connectionId);
  const secret = new Secret(token);
  mask(secret);
  return readAssertion(secret, response);
}

function readAssertion(token: Secret, response: HttpResponse): Assertion {
  const claims = readClaims(token.reveal());
  const issuer = textClaim(claims, 'iss');
  const subject = textClaim(claims, 'sub');
  const audience = textClaim(claims, 'aud');
  if (!issuer || !subject || !audience) {
    throw badAnswer(
      'OIDC_BAD_ANSWER',
      peer,
      response,
      'Run again; if it stays, report it to Azure DevOps support with the ids below.',
    );
  }
  if (subject.startsWith('p://')) {
    throw new ScopedTokenError('OIDC_BAD_ANSWER', {
      happened: `${peer} gave a token for the pipeline ("${subject}"), not for the connection.`,
      why: 'The route did not see which connection was meant.',
      next: 'Check that azureConnection names a service connection of this project, and run again.',
      provider: { ids: requestIds(response) },
    });
  }
  return { token, issuer, subject, audience };
}

function emptyAnswer(response: HttpResponse, connectionId: string): ScopedTokenError {
  return new ScopedTokenError('OIDC_BAD_ANSWER', {
    happened: `${peer} gave no token for connection ${connectionId}: ${shapeOf(response)}.`,
    why: jsonObject(response)
      ? 'Its answer holds no "oidcToken" that is a token.'
      : 'Its answer is no JSON; something between the agent and Azure DevOps may have answered in its place.',
    next: 'Run again; if it stays, look at the proxy between the agent and Azure DevOps.',
    provider: { code: `HTTP ${response.status}`, ids: requestIds(response) },
  });
}

function refusal(response: HttpResponse, connectionId: string): ScopedTokenError {
  const provider = { code: `HTTP ${response.status}`, ids: requestIds(response) };
  const said = sentenceOf(response);
  if (said && /no explicit reference to service connection/i.test(said)) {
    return new ScopedTokenError('OIDC_NOT_REFERENCED', {
      happened: `Azure DevOps gives no ID token for connection ${connectionId} in this stage.`,
      why: said,
      next: "Name the connection itself in this step's azureConnection input. A connection whose name comes from a variable that is set at run time is not a reference.",
      provider,
    });
  }
  const down = outage(peer, response);
  if (down) return down;
  const why = said ?? `Its answer: ${shapeOf(response)}.`;
  if (response.status === 404) {
    return new ScopedTokenError('OIDC_NOT_AVAILABLE', {
      happened: `There is no OIDC route at the address that the job was given (404), or no connection ${connectionId}.`,
      why,
      next: 'Federation needs Azure DevOps Services. On Azure DevOps Server use a connection with a managed identity; elsewhere check that the connection still exists.',
      provider,
    });
  }
  return new ScopedTokenError('OIDC_REFUSED', {
    happened: `${peer} refused a token for connection ${connectionId} (status ${response.status}).`,
    why,
    next:
      response.status === 401 || (response.status >= 300 && response.status < 400)
        ? "The job's access token was not accepted. Check that the job is still running and that the project's OIDC settings allow it; run again."
        : 'Check that the connection exists, is shared with this project, and may be used by this pipeline.',
    provider,
  });
}

/** The service's own sentence: `message`, `value` or `value.Message`. */
function sentenceOf(response: HttpResponse): string | undefined {
  const body = jsonObject(response);
  const value = body?.['value'];
  const nested = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)['Message'] : value;
  return providerSentence(body?.['message']) ?? providerSentence(nested);
}
