import { ScopedTokenError } from '../errors.ts';
import type { ConnectionFields } from '../pipeline/pipeline.ts';
import { type Cloud, cloudNamed, cloudNames } from '../token/cloud.ts';

/** An AzureRM connection with workload identity federation, judged. */
export interface FederatedConnection {
  readonly id: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly cloud: Cloud;
  readonly authorityHost: string;
}

const federation = 'workloadidentityfederation';
const guid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const domain = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i;

/** Judges the fields of a connection. CONNECTION_UNUSABLE names everything that is wrong with it. */
export function readFederatedConnection(connection: ConnectionFields): FederatedConnection {
  const scheme = connection.scheme.trim();
  if (scheme.toLowerCase() !== federation) throw wrongScheme(connection.id, scheme);
  const mistakes: string[] = [];
  const tenantId = connection.parameters['tenantid']?.reveal().trim() ?? '';
  const clientId = connection.parameters['serviceprincipalid']?.reveal().trim() ?? '';
  const environment = connection.data['environment']?.trim() || 'AzureCloud';
  const cloud = cloudNamed(environment);
  if (tenantId === '') mistakes.push('tenantid is missing');
  else if (!guid.test(tenantId) && !domain.test(tenantId))
    mistakes.push('tenantid is neither a GUID nor a domain name of one tenant');
  if (clientId === '') mistakes.push('serviceprincipalid (the client id) is missing');
  else if (!guid.test(clientId)) mistakes.push('serviceprincipalid (the client id) is not a GUID');
  if (!cloud) mistakes.push(`environment "${environment}" is none of ${cloudNames.join(', ')}`);
  const authorityHost = cloud ? readAuthority(connection, cloud, mistakes) : '';
  if (cloud && mistakes.length === 0)
    return {
      id: connection.id,
      tenantId: tenantId.toLowerCase(),
      clientId: clientId.toLowerCase(),
      cloud,
      authorityHost,
    };
  throw new ScopedTokenError('CONNECTION_UNUSABLE', {
    happened: `Service connection ${connection.id} cannot be used: ${mistakes.join('; ')}.`,
    why: 'Its fields come from the service connection’s page in the project settings.',
    next: 'Correct them there (Project settings > Service connections), or create the connection again.',
  });
}

/** The connection's own authority when the cloud's table has it; the cloud's default when the connection names none. */
function readAuthority(connection: ConnectionFields, cloud: Cloud, mistakes: string[]): string {
  const named = connection.data['environmentauthorityurl'] || connection.data['activedirectoryauthority'];
  const fallback = cloud.authorityHosts[0] ?? '';
  if (!named) return fallback;
  try {
    const url = new URL(named);
    const plain = url.protocol === 'https:' && url.username === '' && url.password === '' && url.port === '';
    if (plain && cloud.authorityHosts.includes(url.hostname)) return url.hostname;
    if (plain && cloud.authorityAliases.includes(url.hostname)) return fallback;
  } catch {
    // reported below, like every other unusable authority
  }
  mistakes.push(
    `its authority "${named}" is no Microsoft Entra host of ${cloud.name} (${cloud.authorityHosts.join(', ')})`,
  );
  return fallback;
}

function wrongScheme(id: string, scheme: string): ScopedTokenError {
  const happened = scheme
    ? `Service connection ${id} uses the scheme "${scheme}"; this version takes workload identity federation only.`
    : `Service connection ${id} names no authentication scheme.`;
  return new ScopedTokenError('CONNECTION_UNUSABLE', {
    happened,
    why: 'Secrets and certificates in a connection are long-lived; federation needs none.',
    next: 'Open the service connection’s page and choose "Convert" (workload identity federation), or create one of that kind.',
  });
}
