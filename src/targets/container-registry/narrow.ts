import { ScopedTokenError } from '../../errors.ts';
import type { HttpResponse } from '../../io/http.ts';
import { serverTime } from '../../io/io.ts';
import {
  badAnswer,
  jsonObject,
  outage,
  providerSentence,
  requestIds,
  shapeOf,
  tokenField,
} from '../../io/unexpected-status.ts';
import type { Credential } from '../../token/credential.ts';
import { type Claims, dateClaim, readClaims } from '../../token/jwt-claims.ts';
import type { NarrowedToken } from '../../token/narrowed-token.ts';
import { Secret } from '../../token/secret.ts';
import type { NarrowContext } from '../target.ts';
import { type RepositoryRights, rightsLines, subtractRights } from './scopes.ts';

/** One exchange at one registry. */
export interface RegistryRequest {
  readonly host: string;
  readonly rights: readonly RepositoryRights[];
  readonly lifetimeSeconds: number;
  readonly credential: Credential;
  readonly context: NarrowContext;
}

/**
 * Exchanges the Entra token for the registry's refresh token, and that for one access token for the declared
 * repositories (github.com/Azure/acr, docs/AAD-OAuth.md). The refresh token reaches the whole registry and never
 * leaves this function.
 */
export async function narrowToRepositories(request: RegistryRequest): Promise<NarrowedToken> {
  const exchanged = await post(request, 'exchange', [
    ['grant_type', 'access_token'],
    ['service', request.host],
    ['tenant', request.credential.identity.tenantId],
    ['access_token', request.credential.token.reveal()],
  ]);
  const refreshToken = tokenIn(exchanged, 'refresh_token', request);
  const answered = await post(request, 'token', [
    ['grant_type', 'refresh_token'],
    ['service', request.host],
    ...request.rights.map(({ repository, actions }): [string, string] => [
      'scope',
      `repository:${repository}:${actions.join(',')}`,
    ]),
    ['refresh_token', refreshToken.reveal()],
  ]);
  return readBack(tokenIn(answered, 'access_token', request), answered, request);
}

async function post(
  request: RegistryRequest,
  route: 'exchange' | 'token',
  form: [string, string][],
): Promise<HttpResponse> {
  const response = await request.context.io.http.send({
    peer: `the registry's ${route} route`,
    method: 'POST',
    url: `https://${request.host}/oauth2/${route}`,
    allowedHosts: [request.host],
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-ms-client-request-id': request.context.correlationId,
    },
    body: new URLSearchParams(form).toString(),
  });
  if (response.status !== 200) throw refusal(response, request, route);
  return response;
}

function tokenIn(response: HttpResponse, field: string, request: RegistryRequest): Secret {
  const token = tokenField(response, field);
  if (token === undefined) {
    throw badAnswer(
      'TARGET_BAD_ANSWER',
      request.host,
      response,
      `Its answer holds no "${field}". Check that ${request.host} is an Azure container registry, and what stands between it and the agent.`,
    );
  }
  const secret = new Secret(token);
  request.context.mask(secret);
  return secret;
}

function readBack(token: Secret, response: HttpResponse, request: RegistryRequest): NarrowedToken {
  const claims = readClaims(token.reveal());
  const granted = grantedRights(claims);
  const expiresOn = dateClaim(claims, 'exp');
  if (!granted || !expiresOn) {
    throw badAnswer(
      'TARGET_BAD_ANSWER',
      request.host,
      response,
      'What its token grants cannot be read, so the token is not used. Report it with the ids below.',
    );
  }
  if (expiresOn.getTime() <= serverTime(request.context.io)) {
    throw badAnswer(
      'TARGET_BAD_ANSWER',
      request.host,
      response,
      `Its token ended already, at ${expiresOn.toISOString()}. Run again; if it stays, report it with the ids below.`,
    );
  }
  const missing = subtractRights(request.rights, granted);
  if (rightsLines(granted).length === 0) {
    throw new ScopedTokenError('GRANTED_NOTHING', {
      happened: `The registry granted none of: ${rightsLines(request.rights).join('; ')}.`,
      why: `The identity (object id ${request.credential.identity.objectId ?? 'unknown'}) has no role for them on ${request.host}, or a repository does not exist.`,
      next: 'Give it AcrPull or AcrPush on the registry (in "RBAC plus ABAC" mode: Container Registry Repository Reader or Writer), and wait a few minutes.',
      provider: { ids: requestIds(response) },
    });
  }
  return {
    value: token,
    maskAlso: [],
    granted: rightsLines(granted),
    missing: rightsLines(missing),
    excess: rightsLines(subtractRights(granted, request.rights)),
    enforcement: 'issuer',
    proof: 'readBack',
    notChecked: [],
    expiresOn,
    ids: requestIds(response),
    warnings: [],
  };
}

/** The `access` claim (Docker registry token specification); an unknown kind of access counts as a right of its own. */
function grantedRights(claims: Claims | undefined): RepositoryRights[] | undefined {
  const access = claims?.['access'];
  if (!Array.isArray(access)) return undefined;
  const rights: RepositoryRights[] = [];
  for (const entry of access as unknown[]) {
    const { type, name, actions } = (entry ?? {}) as Record<string, unknown>;
    if (typeof type !== 'string' || typeof name !== 'string' || !Array.isArray(actions)) return undefined;
    rights.push({ repository: type === 'repository' ? name : `${type}:${name}`, actions: actions.map(String) });
  }
  return rights;
}

function refusal(response: HttpResponse, request: RegistryRequest, route: string): ScopedTokenError {
  const down = outage(`The registry ${request.host}`, response);
  if (down) return down;
  const provider = { code: `HTTP ${response.status}`, ids: requestIds(response) };
  const said = firstError(response);
  if (response.status === 401 || response.status === 403) {
    return new ScopedTokenError('TARGET_DENIED', {
      happened: `The registry ${request.host} refused the identity (status ${response.status} at its ${route} route).`,
      why:
        said ??
        (response.status === 403
          ? 'A network rule of the registry may keep this agent out.'
          : 'The identity has no role on it, or it does not accept tokens of this audience.'),
      next: 'Give the identity AcrPull or AcrPush on the registry, check the registry’s network rules, and wait a few minutes.',
      provider,
    });
  }
  return new ScopedTokenError('TARGET_REFUSED', {
    happened: `The registry ${request.host} refused the request at its ${route} route (status ${response.status}).`,
    why: said ?? `Its answer: ${shapeOf(response)}.`,
    next: `Check that ${request.host} is an Azure container registry.`,
    provider,
  });
}

/** `errors[0]` as the registry gives it: code and message. */
function firstError(response: HttpResponse): string | undefined {
  const errors = jsonObject(response)?.['errors'];
  const first = Array.isArray(errors) ? (errors[0] as Record<string, unknown> | undefined) : undefined;
  const text = [first?.['code'], first?.['message']].filter((part) => typeof part === 'string').join(': ');
  return providerSentence(text);
}
