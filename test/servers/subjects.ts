import { createHash } from 'node:crypto';
import type { Connection } from '../agent/job-server.ts';

/** The organisation that the stand-ins play. */
export const organisation = {
  name: 'contoso',
  id: '7c5a0d52-2f0b-4e3c-9d0e-5d0c6f1b7a10',
} as const;

/** Application id of Azure DevOps in Entra: audience of its tokens, and part of the newer subjects. */
export const azureDevOpsApplicationId = '499b84ac-1321-427f-aa17-267ca6975798';

/** The audience that Entra wants in a federated assertion (public cloud). */
export const assertionAudience = 'api://AzureADTokenExchange';

/** Which of the two issuers speaks for a connection. */
export type AssertionIssuer = NonNullable<Connection['issuer']>;

/** `iss` of an assertion. agent-contract §8. */
export function issuerOf(kind: AssertionIssuer, tenantId: string): string {
  return kind === 'azureDevOps'
    ? `https://vstoken.dev.azure.com/${organisation.id}`
    : `https://login.microsoftonline.com/${tenantId}/v2.0`;
}

/** `sub` of a connection's assertion: by names for the older issuer, by ids for the newer one. agent-contract §8. */
export function subjectOf(kind: AssertionIssuer, connection: Connection, project: string): string {
  if (kind === 'azureDevOps') return `sc://${organisation.name}/${project}/${connection.name}`;
  const tenant = littleEndianGuid(tenantOf(connection));
  const application = littleEndianGuid(azureDevOpsApplicationId);
  return `/eid1/c/pub/t/${tenant}/a/${application}/sc/${organisation.id}/${connection.id}`;
}

/** The Entra tenant that a connection names; empty when it names none. */
export function tenantOf(connection: Connection): string {
  return fieldOf(connection, 'tenantid');
}

/** The application (client) id that a connection names; empty when it names none. */
export function clientOf(connection: Connection): string {
  return fieldOf(connection, 'serviceprincipalid');
}

/** A GUID that is always the same for the same text. */
export function stableGuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}

/** Parameters and data hold the same names in different cases, by the connection's age. */
function fieldOf(connection: Connection, name: string): string {
  for (const fields of [connection.parameters, connection.data]) {
    for (const [key, value] of Object.entries(fields)) if (key.toLowerCase() === name) return value;
  }
  return '';
}

/** Base64url of the GUID's bytes in the order in which Windows keeps them: the first three groups reversed. */
function littleEndianGuid(guid: string): string {
  const bytes = Buffer.from(guid.replaceAll('-', ''), 'hex');
  if (bytes.length !== 16) return guid;
  const groups = [bytes.subarray(0, 4), bytes.subarray(4, 6), bytes.subarray(6, 8)];
  return Buffer.concat([...groups.map((group) => Buffer.from(group).reverse()), bytes.subarray(8)]).toString(
    'base64url',
  );
}
