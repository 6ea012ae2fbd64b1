import type { Io } from '../io/io.ts';
import type { Cloud } from '../token/cloud.ts';
import type { Credential } from '../token/credential.ts';
import type { Secret } from '../token/secret.ts';

/** Where a credential comes from. */
export interface IdentitySource {
  /**
   * Requests a credential for one resource, such as `https://storage.azure.com`. The id is sent along as
   * `client-request-id`, so that the issuer's log can be joined with the record.
   *
   * Throws OIDC_*, ENTRA_*, NETWORK_*, PROXY_*, THROTTLED, SERVER_UNAVAILABLE.
   */
  acquire(resource: string, correlationId: string): Promise<Credential>;
}

/** What a source needs of the step. */
export interface IdentityContext {
  readonly io: Io;
  /** Registers a value with the agent's masker; called before anything else is done with it. */
  readonly mask: (value: Secret) => void;
  readonly cloud: Cloud;
  readonly authorityHost: string;
}
