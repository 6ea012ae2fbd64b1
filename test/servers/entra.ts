import { type Answer, type Call, formFields, jsonAnswer } from './call.ts';
import type { Application, Directory, Resource, Tenant } from './directory.ts';
import { judgeAssertion } from './entra-assertions.ts';
import { type AnswerIds, answerIds, EntraError, entraRefusal } from './entra-errors.ts';
import type { LabBase, Route } from './https-front.ts';
import { clientRequestIdOf } from './observations.ts';
import { type Claims, claimNumber, claimText, type SigningKey, shortId } from './signing-key.ts';
import { issuerOf, organisation } from './subjects.ts';

/** Directory role template that Entra puts into every app-only token for Microsoft Graph; it grants nothing. */
export const implicitDirectoryRole = '0997a1d0-0d1d-4acb-b408-d5ca73121e90';

const loginHost = 'login.microsoftonline.com';
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** One token that was issued, as the tenant's sign-in log would show it. */
export interface SignIn {
  readonly time: string;
  readonly clientId: string;
  readonly resource: string;
  /** `uti` of the token. */
  readonly tokenId: string;
  readonly correlationId: string;
}

/** The Entra stand-in: client credentials with federated assertions, and the documents that clients ask for. */
export class Entra {
  readonly directory: Directory;
  readonly signIns: SignIn[] = [];
  readonly #base: LabBase;
  readonly #key: SigningKey;
  /** Keys of issuers of assertions, by `iss`. A test may add one. */
  readonly issuerKeys = new Map<string, SigningKey>();

  constructor(
    base: LabBase,
    directory: Directory,
    keys: { readonly entra: SigningKey; readonly azureDevOps: SigningKey },
  ) {
    this.#base = base;
    this.directory = directory;
    this.#key = keys.entra;
    this.issuerKeys.set(issuerOf('azureDevOps', ''), keys.azureDevOps);
  }

  route(call: Call): Route {
    return { server: 'entra', answer: () => this.#answer(call) };
  }

  /**
   * Judges an access token as a resource does: our signature, one of the audiences, time, a known tenant. Undefined
   * when any of it fails.
   */
  async verifyAccessToken(token: string, audiences: readonly string[]): Promise<Claims | undefined> {
    const claims = await this.#key.verify(token);
    if (!claims || !this.directory.findTenant(claimText(claims, 'tid'))) return undefined;
    const now = this.#base.clock.nowSeconds();
    if ((claimNumber(claims, 'exp') ?? 0) <= now || (claimNumber(claims, 'nbf') ?? 0) > now + 300) return undefined;
    const audience = claimText(claims, 'aud').replace(/\/$/, '');
    return audiences.includes(audience) ? claims : undefined;
  }

  async #answer(call: Call): Promise<Answer> {
    const ids = answerIds(clientRequestIdOf(call));
    const answer = await this.#answerPath(call, ids);
    const clientRequestId = clientRequestIdOf(call);
    const headers: Record<string, string> = {
      'Cache-Control': 'no-store, no-cache',
      'x-ms-request-id': ids.traceId,
      'x-ms-ests-server': '2.1.0 - stand-in',
    };
    if (clientRequestId) headers['client-request-id'] = clientRequestId;
    return { ...answer, headers: { ...headers, ...answer.headers } };
  }

  async #answerPath(call: Call, ids: AnswerIds): Promise<Answer> {
    const [, tenantId = '', ...rest] = call.path.split('/');
    const tail = rest.join('/');
    if (tail === 'oauth2/v2.0/token') {
      if (call.method !== 'POST') return jsonAnswer(405, { error: 'invalid_request' });
      try {
        return await this.#token(call, tenantId, ids);
      } catch (error) {
        if (error instanceof EntraError) return entraRefusal(error, ids, this.#base.clock);
        throw error;
      }
    }
    if (call.path === '/common/discovery/instance') return instanceDiscovery();
    if (tail === 'v2.0/.well-known/openid-configuration') {
      const known = tenantId === 'common' || !!this.directory.findTenant(tenantId);
      return known ? openIdConfiguration(tenantId) : entraRefusal(unknownTenant(tenantId), ids, this.#base.clock);
    }
    if (tail === 'discovery/v2.0/keys') return jsonAnswer(200, { keys: [await this.#key.jsonWebKey()] });
    return { status: 404, headers: { 'Content-Type': 'text/html' }, body: '' };
  }

  async #token(call: Call, tenantId: string, ids: AnswerIds): Promise<Answer> {
    const form = formFields(call);
    for (const name of ['grant_type', 'client_id', 'scope']) {
      if (!form.get(name)) {
        throw new EntraError(900144, `The request body must contain the following parameter: '${name}'.`);
      }
    }
    if (form.get('grant_type') !== 'client_credentials') {
      throw new EntraError(70003, `The app requested an unsupported grant type '${form.get('grant_type')}'.`);
    }
    const tenant = this.directory.findTenant(tenantId);
    if (!tenant) throw unknownTenant(tenantId);
    const application = this.#application(tenant, form.get('client_id') ?? '');
    const assertion = form.get('client_assertion');
    if (!assertion || form.get('client_assertion_type') !== assertionType) {
      throw new EntraError(
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      );
    }
    await judgeAssertion(assertion, application, {
      clock: this.#base.clock,
      issuerKey: (issuer) => this.#issuerKey(issuer),
    });
    const { audience, resource } = this.#resourceOf(form.get('scope') ?? '', tenant);
    return this.#issue({ tenant, application, resource, audience, ids });
  }

  #application(tenant: Tenant, clientId: string): Application {
    const application = tenant.applications.get(clientId);
    if (application) return application;
    throw new EntraError(
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${tenant.displayName}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
    );
  }

  #issuerKey(issuer: string): SigningKey | undefined {
    const own = new RegExp(`^https://${loginHost.replaceAll('.', '\\.')}/([^/]+)/v2\\.0$`).exec(issuer)?.[1];
    return own && this.directory.findTenant(own) ? this.#key : this.issuerKeys.get(issuer);
  }

  #resourceOf(scope: string, tenant: Tenant): { readonly audience: string; readonly resource: Resource } {
    const scopes = scope.split(' ').filter(Boolean);
    if (scopes.length !== 1)
      throw new EntraError(
        70011,
        `The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
      );
    if (!scope.endsWith('/.default')) {
      throw new EntraError(
        1002012,
        `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
      );
    }
    const audience = scope.slice(0, -'/.default'.length);
    const resource = this.directory.resource(audience);
    if (resource) return { audience, resource };
    throw new EntraError(
      500011,
      `The resource principal named ${audience} was not found in the tenant named ${tenant.displayName}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
    );
  }

  async #issue(grant: Grant): Promise<Answer> {
    const { application, resource, ids } = grant;
    const claims = tokenClaims(grant, this.#base.clock.nowSeconds());
    const token = await this.#key.sign(claims, { x5t: this.#key.keyId });
    this.#base.observations.secret('entraToken', token);
    this.signIns.push({
      time: this.#base.clock.isoTime(),
      clientId: application.clientId,
      resource: resource.identifiers[0] ?? '',
      tokenId: claimText(claims, 'uti'),
      correlationId: ids.correlationId,
    });
    return jsonAnswer(200, {
      token_type: 'Bearer',
      expires_in: resource.lifetimeSeconds,
      ext_expires_in: resource.lifetimeSeconds,
      access_token: token,
    });
  }
}

interface Grant {
  readonly tenant: Tenant;
  readonly application: Application;
  readonly resource: Resource;
  readonly audience: string;
  readonly ids: AnswerIds;
}

/** Claims of an app-only token in the version that the resource asked for. narrowing-azure §5.2. */
function tokenClaims(grant: Grant, nowSeconds: number): Record<string, unknown> {
  const { tenant, application, resource, audience } = grant;
  const name = resource.identifiers[0] ?? '';
  const roles = application.roles.get(name);
  const claims: Record<string, unknown> = {
    aud:
      resource.tokenVersion === '1.0' ? audience : (resource.identifiers.find((one) => !one.includes(':')) ?? audience),
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + resource.lifetimeSeconds,
    idtyp: 'app',
    oid: application.objectId,
    sub: application.objectId,
    tid: tenant.id,
    uti: shortId(),
    ver: resource.tokenVersion,
  };
  if (resource.tokenVersion === '1.0') {
    Object.assign(claims, { iss: `https://sts.windows.net/${tenant.id}/`, appid: application.clientId, appidacr: '2' });
    claims['idp'] = claims['iss'];
  } else {
    Object.assign(claims, { iss: issuerOf('entra', tenant.id), azp: application.clientId, azpacr: '2' });
  }
  if (roles && roles.length > 0) claims['roles'] = [...roles];
  if (name === 'https://graph.microsoft.com') claims['wids'] = [...application.directoryRoles, implicitDirectoryRole];
  return claims;
}

function unknownTenant(tenantId: string): EntraError {
  return new EntraError(
    90002,
    `Tenant '${tenantId}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
  );
}

function openIdConfiguration(tenantId: string): Answer {
  const root = `https://${loginHost}/${tenantId}`;
  return jsonAnswer(200, {
    token_endpoint: `${root}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${root}/discovery/v2.0/keys`,
    issuer: `${root}/v2.0`,
    authorization_endpoint: `${root}/oauth2/v2.0/authorize`,
    device_authorization_endpoint: `${root}/oauth2/v2.0/devicecode`,
    end_session_endpoint: `${root}/oauth2/v2.0/logout`,
    response_types_supported: ['code', 'id_token', 'code id_token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    tenant_region_scope: 'EU',
    cloud_instance_name: 'microsoftonline.com',
  });
}

function instanceDiscovery(): Answer {
  return jsonAnswer(200, {
    tenant_discovery_endpoint: `https://${loginHost}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [
      {
        preferred_network: loginHost,
        preferred_cache: 'login.windows.net',
        aliases: [loginHost, 'login.windows.net', 'login.microsoft.com', 'sts.windows.net'],
      },
    ],
  });
}

/** Key set and discovery document of the older issuer of pipeline assertions. */
export async function pipelineIssuerDocument(call: Call, key: SigningKey): Promise<Answer> {
  const issuer = issuerOf('azureDevOps', '');
  if (call.path === `/${organisation.id}/.well-known/openid-configuration`) {
    return jsonAnswer(200, {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks`,
      subject_types_supported: ['public', 'pairwise'],
      response_types_supported: ['id_token'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  }
  if (call.path === `/${organisation.id}/.well-known/jwks`) return jsonAnswer(200, { keys: [await key.jsonWebKey()] });
  return { status: 404, body: '' };
}
