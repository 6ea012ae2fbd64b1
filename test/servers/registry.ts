import { randomUUID } from 'node:crypto';
import { type Answer, basicCredentials, bearerToken, type Call, formFields, jsonAnswer } from './call.ts';
import { resourceNames } from './directory.ts';
import type { Entra } from './entra.ts';
import type { LabBase, Route } from './https-front.ts';
import { grantedAccess, parseScopes, type RegistryAccess, type RegistryRole, roleOfAccess } from './registry-access.ts';
import { registryIssuer } from './registry-process.ts';
import { type Claims, claimNumber, claimText, type SigningKey } from './signing-key.ts';
import type { Upstream } from './upstream.ts';

/** Replaces what a token is granted: wider or narrower than asked, as a faulty service might. */
export type GrantOverride = (
  asked: readonly RegistryAccess[],
  granted: readonly RegistryAccess[],
) => readonly RegistryAccess[];

/** What every application may do unless a role is set for it: more than a step should ask for. */
const usualRole: RegistryRole = new Map([
  ['team/app', ['pull', 'push', 'delete', 'metadata_read', 'metadata_write']],
  ['team/secret', ['pull']],
  ['registry:catalog', ['*']],
]);

/**
 * The token service of an Azure Container Registry in front of real docker-registry processes. narrowing-azure §3.
 */
export class Registry {
  /** Why no real registry runs behind the token service; undefined when one does. */
  unavailableReason: string | undefined;
  /** Roles by client id. A client without one has `defaultRole`; one that maps to `undefined` is refused. */
  readonly roles = new Map<string, RegistryRole | undefined>();
  defaultRole: RegistryRole | undefined = usualRole;
  grantOverride: GrantOverride | undefined;
  refreshLifetimeSeconds = 3 * 60 * 60;
  accessLifetimeSeconds = 75 * 60;
  readonly #base: LabBase;
  readonly #entra: Entra;
  readonly #key: SigningKey;
  readonly #certificateBase64: string;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(base: LabBase, entra: Entra, signer: { readonly key: SigningKey; readonly certificateBase64: string }) {
    this.#base = base;
    this.#entra = entra;
    this.#key = signer.key;
    this.#certificateBase64 = signer.certificateBase64;
  }

  /** Whether real registries run behind the token service. */
  get available(): boolean {
    return this.#upstreams.size > 0;
  }

  /** Puts a real registry behind the token service. */
  attach(host: string, upstream: Upstream): void {
    this.#upstreams.set(host, upstream);
  }

  route(call: Call): Route {
    return { server: 'registry', answer: () => this.#answer(call) };
  }

  /** Signs an access token with any entries, for preparing a registry and for tests. Times are the machine's. */
  accessToken(host: string, access: readonly RegistryAccess[]): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return this.#sign(host, { sub: 'lab', nbf: now - 5, iat: now, exp: now + 300, access });
  }

  async #answer(call: Call): Promise<Answer> {
    if (call.path === '/oauth2/exchange' && call.method === 'POST') return this.#exchange(call);
    if (call.path === '/oauth2/token' && call.method === 'POST') return this.#token(call);
    if (call.path === '/oauth2/token' && call.method === 'GET') return this.#basicToken(call);
    if (call.path === '/v2' || call.path.startsWith('/v2/')) return this.#forward(call);
    return { status: 404, headers: { 'Content-Type': 'text/plain' }, body: '404 page not found' };
  }

  async #exchange(call: Call): Promise<Answer> {
    const form = formFields(call);
    if (form.get('grant_type') !== 'access_token' || form.get('service') !== call.host) return unsupported();
    const token = form.get('access_token') ?? '';
    const claims = await this.#entra.verifyAccessToken(token, [resourceNames.containerRegistry]);
    const tenant = form.get('tenant');
    if (!claims || (tenant !== null && tenant !== claimText(claims, 'tid'))) return unauthorized(call.host);
    const clientId = clientOfClaims(claims);
    if (!this.#roleOf(clientId)) return unauthorized(call.host);
    const now = this.#base.clock.nowSeconds();
    const refreshToken = await this.#sign(call.host, {
      sub: clientId,
      nbf: now - 15 * 60,
      iat: now - 15 * 60,
      exp: now + this.refreshLifetimeSeconds,
      grant_type: 'refresh_token',
      tenant: claimText(claims, 'tid'),
      permissions: { Actions: ['read', 'write', 'delete'], NotActions: null },
      version: 1,
    });
    this.#base.observations.secret('registryRefreshToken', refreshToken);
    return jsonAnswer(200, { refresh_token: refreshToken });
  }

  async #token(call: Call): Promise<Answer> {
    const form = formFields(call);
    if (form.get('grant_type') !== 'refresh_token' || form.get('service') !== call.host) return unsupported();
    const claims = await this.#liveClaims(call.host, form.get('refresh_token') ?? '');
    const role =
      claimText(claims, 'grant_type') === 'refresh_token' ? this.#roleOf(claimText(claims, 'sub')) : undefined;
    if (!claims || !role) return unauthorized(call.host);
    return this.#grant(call.host, claims, parseScopes(form.getAll('scope')), role);
  }

  /** What docker's login asks for: the password is a refresh token, or an access token for what it already allows. */
  async #basicToken(call: Call): Promise<Answer> {
    const claims = await this.#liveClaims(call.host, basicCredentials(call)?.password ?? '');
    if (!claims || call.query.get('service') !== call.host) return unauthorized(call.host);
    const isRefresh = claimText(claims, 'grant_type') === 'refresh_token';
    const access = Array.isArray(claims['access']) ? (claims['access'] as RegistryAccess[]) : [];
    const role = isRefresh ? this.#roleOf(claimText(claims, 'sub')) : roleOfAccess(access);
    if (!role) return unauthorized(call.host);
    return this.#grant(call.host, claims, parseScopes(call.query.getAll('scope')), role);
  }

  async #grant(host: string, claims: Claims, asked: readonly RegistryAccess[], role: RegistryRole): Promise<Answer> {
    const granted = grantedAccess(asked, role);
    const access = this.grantOverride ? this.grantOverride(asked, granted) : granted;
    const now = this.#base.clock.nowSeconds();
    const token = await this.#sign(host, {
      sub: claimText(claims, 'sub'),
      nbf: now - 15,
      iat: now,
      exp: now + this.accessLifetimeSeconds,
      access,
      roles: [],
      grant_type: 'access_token',
      version: 1,
    });
    this.#base.observations.secret('registryToken', token);
    return jsonAnswer(200, { access_token: token });
  }

  async #forward(call: Call): Promise<Answer> {
    const upstream = this.#upstreams.get(call.host);
    if (!upstream) {
      return {
        status: 503,
        headers: { 'Content-Type': 'text/plain' },
        body: `no registry here: ${this.unavailableReason}`,
      };
    }
    const headers = { ...call.headers, 'x-forwarded-proto': 'https' };
    const token = bearerToken(call);
    if (token && this.#base.clock.offsetSeconds !== 0)
      headers.authorization = `Bearer ${await this.#inRealTime(call.host, token)}`;
    return upstream.send({ method: call.method, target: call.target, headers, body: call.body });
  }

  /** The process lives in the machine's time: a token that is good in the lab's time is signed anew for it. */
  async #inRealTime(host: string, token: string): Promise<string> {
    const claims = await this.#liveClaims(host, token);
    const access = claims?.['access'];
    return Array.isArray(access) ? this.accessToken(host, access as RegistryAccess[]) : token;
  }

  #roleOf(clientId: string): RegistryRole | undefined {
    return this.roles.has(clientId) ? this.roles.get(clientId) : this.defaultRole;
  }

  /** Claims of a token that this registry signed and that has not run out. */
  async #liveClaims(host: string, token: string): Promise<Claims | undefined> {
    const claims = await this.#key.verify(token);
    if (!claims || claims['aud'] !== host) return undefined;
    return (claimNumber(claims, 'exp') ?? 0) > this.#base.clock.nowSeconds() ? claims : undefined;
  }

  #sign(host: string, claims: Record<string, unknown>): Promise<string> {
    const all = { jti: randomUUID(), iss: registryIssuer, aud: host, ...claims };
    return this.#key.sign(all, { x5c: [this.#certificateBase64] });
  }
}

function clientOfClaims(claims: Claims): string {
  return claimText(claims, 'appid') || claimText(claims, 'azp');
}

function unauthorized(host: string): Answer {
  const challenge = `Bearer realm="https://${host}/oauth2/token",service="${host}"`;
  const message = 'authentication required, visit https://aka.ms/acr/authorization for more information.';
  const body = { errors: [{ code: 'UNAUTHORIZED', message, detail: [] }] };
  return jsonAnswer(401, body, { 'WWW-Authenticate': challenge, 'X-Ms-Correlation-Request-Id': randomUUID() });
}

function unsupported(): Answer {
  const body = { errors: [{ code: 'UNSUPPORTED', message: 'The operation is unsupported.' }] };
  return jsonAnswer(400, body, { 'X-Ms-Correlation-Request-Id': randomUUID() });
}
