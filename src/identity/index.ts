import type { Secret } from '../token/secret.ts';
import type { FederatedConnection } from './connection.ts';
import type { IdentityContext, IdentitySource } from './identity-source.ts';
import { requestAssertion } from './pipeline-oidc.ts';

/** What the pipeline's OIDC route needs. */
export interface OidcAddress {
  readonly requestUri: string;
  readonly accessToken: Secret;
  readonly collectionHost: string;
}

/**
 * The identity source of a connection. The library that talks to Microsoft Entra loads while the first assertion is
 * under way, because loading it costs as much as the request.
 */
export function identitySourceOf(
  connection: FederatedConnection,
  oidc: OidcAddress,
  context: IdentityContext,
): IdentitySource {
  const assertion = () => requestAssertion({ ...oidc, connectionId: connection.id }, context.io, context.mask);
  return {
    async acquire(resource, correlationId) {
      let first: ReturnType<typeof assertion> | undefined = assertion();
      // Whichever fails first is reported; the other must not become an unhandled rejection.
      first.catch(() => undefined);
      const { workloadFederation } = await import('./workload-federation.ts');
      const fresh = () => {
        const next = first ?? assertion();
        first = undefined;
        return next;
      };
      const { tenantId, clientId } = connection;
      return workloadFederation({ tenantId, clientId, assertion: fresh }, context).acquire(resource, correlationId);
    },
  };
}
