import { randomUUID } from 'node:crypto';
import type { Connection, JobRegistration } from '../../agent/job-server.ts';
import type { Lab } from '../../servers/lab.ts';
import { type ClientAnswer, labRequest } from '../../servers/proxy-client.ts';

export const tenantId = '11111111-2222-4333-8444-555555555555';
export const clientId = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';

/** A federated AzureRM connection with an id of its own. */
export function federatedConnection(changes: Partial<Connection> = {}): Connection {
  const id = changes.id ?? randomUUID();
  return {
    id,
    name: `connection-${id.slice(0, 4)}`,
    type: 'AzureRM',
    url: 'https://management.azure.com/',
    scheme: 'WorkloadIdentityFederation',
    parameters: { tenantid: tenantId, serviceprincipalid: clientId },
    data: { environment: 'AzureCloud' },
    ...changes,
  };
}

/** A job of a build that names the given connections. */
export function jobWith(connections: readonly Connection[], changes: Partial<JobRegistration> = {}): JobRegistration {
  return {
    project: 'Fabrikam',
    projectId: '99999999-0000-4000-8000-000000000001',
    planId: randomUUID(),
    jobId: randomUUID(),
    timelineId: randomUUID(),
    buildId: '42',
    hub: 'build',
    referencedConnections: connections.map((connection) => connection.id),
    connections,
    ...changes,
  };
}

/** Asks the OIDC route for a connection's assertion. */
export function askAssertion(
  lab: Lab,
  registered: { readonly accessToken: string; readonly oidcRequestUri: string },
  connectionId: string | undefined,
): Promise<ClientAnswer> {
  const query = new URLSearchParams({ 'api-version': '7.1' });
  if (connectionId !== undefined) query.set('serviceConnectionId', connectionId);
  return labRequest(lab, `${registered.oidcRequestUri}?${query}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${registered.accessToken}`, 'X-TFS-FedAuthRedirect': 'Suppress' },
  });
}

/** A fresh assertion of a connection, through a job that names it. */
export async function assertionFor(lab: Lab, connection: Connection): Promise<string> {
  const registered = lab.registerJob(jobWith([connection]));
  const answer = await askAssertion(lab, registered, connection.id);
  return answer.json<{ oidcToken: string }>().oidcToken;
}

/** The form that exchanges an assertion, with changes for what a test gets wrong. */
export function exchangeForm(
  assertion: string,
  resource: string,
  changes: Record<string, string> = {},
): URLSearchParams {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: clientId,
    scope: `${resource}/.default`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...changes,
  });
}

/** Address of a tenant's token endpoint. */
export function tokenEndpoint(tenant = tenantId): string {
  return `https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`;
}

/** An Entra access token for a resource, all the way from a job. */
export async function entraToken(lab: Lab, resource: string, connection = federatedConnection()): Promise<string> {
  const assertion = await assertionFor(lab, connection);
  const answer = await labRequest(lab, tokenEndpoint(), { body: exchangeForm(assertion, resource) });
  return answer.json<{ access_token: string }>().access_token;
}

/** A time so many minutes from now. */
export function minutes(count: number): Date {
  return new Date(Date.now() + count * 60_000);
}

/** RFC 3339 without fractions, as storage takes times. */
export function wholeSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}

/** Asks an account for a user delegation key. */
export function askDelegationKey(
  lab: Lab,
  ask: { readonly root: string; readonly bearer: string; readonly start: Date; readonly expiry: Date },
): Promise<ClientAnswer> {
  return labRequest(lab, `${ask.root}/?restype=service&comp=userdelegationkey`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${ask.bearer}`, 'x-ms-version': '2022-11-02', 'Content-Type': 'application/xml' },
    body: `<KeyInfo><Start>${wholeSeconds(ask.start)}</Start><Expiry>${wholeSeconds(ask.expiry)}</Expiry></KeyInfo>`,
  });
}
