import type { Secret } from './secret.ts';

/** Who a credential stands for; facts that may be printed and recorded. */
export interface IdentityFacts {
  /** Identity source, such as `workloadIdentityFederation`. */
  readonly source: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** Object id of the service principal (`oid`), where the credential tells it. */
  readonly objectId?: string;
  /** Issuer and subject of the assertion that was shown, exactly. */
  readonly assertionIssuer?: string;
  readonly assertionSubject?: string;
  /** Entra's token id (`uti`), which its sign-in log holds too. */
  readonly uti?: string;
}

/** What an identity source yields: wide, never exposed. */
export interface Credential {
  readonly token: Secret;
  readonly expiresOn: Date;
  readonly identity: IdentityFacts;
  /** Ids that the issuer's own log holds: request, trace and correlation ids by name. */
  readonly ids: Readonly<Record<string, string>>;
}
