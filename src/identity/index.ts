import type { Secret } from '../token/secret.ts';
import type { FederatedConnection } from './connection.ts';
import type { IdentityContext, IdentitySource } from './identity-source.ts';
import { requestAssertion } from './pipeline-oidc.ts';
import { workloadFederation } from './workload-federation.ts';

/** What the pipeline's OIDC route needs. */
export interface OidcAddress {
  readonly requestUri: string;
  readonly accessToken: Secret;
  readonly collectionHost: string;
}

/** The identity source of a connection. */
export function identitySourceOf(
  connection: FederatedConnection,
  oidc: OidcAddress,
  context: IdentityContext,
): IdentitySource {
  const { tenantId, clientId } = connection;
  const assertion = () => requestAssertion({ ...oidc, connectionId: connection.id }, context.io, context.mask);
  return workloadFederation({ tenantId, clientId, assertion }, context);
}
