import type { ErrorCode } from '../errors.ts';

/** How a narrowing holds: product terms, never more than is true. */
export type Enforcement = 'issuer' | 'broker' | 'bounded' | 'none';

/** How the enforcement `issuer` is known. */
export type Proof = 'readBack' | 'constructed' | 'assumed';

/** What a record tells. `notRevocable` says that the token stays valid until `token.expiresOn`. */
export type RecordEvent =
  | 'intent'
  | 'issued'
  | 'failed'
  | 'cancelled'
  | 'revoked'
  | 'revokeFailed'
  | 'expired'
  | 'notRevocable';

/** On whose behalf, and as which identity. */
export interface Who {
  /** Display name of the person or service that the run was requested for. */
  readonly requestedFor?: string;
  readonly requestedForId?: string;
  /** Client id of the application or managed identity. */
  readonly clientId?: string;
  /** Object id of its service principal, as the token names it (`oid`). */
  readonly objectId?: string;
  readonly tenantId?: string;
  readonly connectionId?: string;
  readonly connectionName?: string;
  /** Identity source, such as `workloadIdentityFederation`. */
  readonly source?: string;
  /** Issuer and subject of the assertion that was shown, exactly. */
  readonly assertionIssuer?: string;
  readonly assertionSubject?: string;
}

/** What was asked for and what was granted; scopes are lines in the scope grammar. */
export interface What {
  readonly target: string;
  readonly resource: string;
  readonly asked: readonly string[];
  readonly granted?: readonly string[];
  /** Declared, but not granted. */
  readonly missing?: readonly string[];
  /** Granted, but not declared. */
  readonly excess?: readonly string[];
  readonly enforcement?: Enforcement;
  readonly proof?: Proof;
  /** What the proof does not cover; a closed list per target. */
  readonly notChecked?: readonly string[];
  /** Name of the variable that was set. */
  readonly variable?: string;
  readonly askedLifetimeSeconds?: number;
}

/** Where it happened. The five ids seed the hash chain. */
export interface Where {
  readonly organisation: string;
  readonly projectId: string;
  readonly planId: string;
  readonly jobId: string;
  /** The step's record in the run's timeline. */
  readonly stepId: string;
  readonly project?: string;
  readonly pipeline?: string;
  readonly pipelineId?: string;
  readonly pipelineRevision?: string;
  readonly run?: string;
  readonly runId?: string;
  readonly stage?: string;
  readonly stageAttempt?: number;
  readonly job?: string;
  readonly jobAttempt: number;
  /** 1 for the first run of the main stage; a retried step (`retryCountOnTaskFailure`) counts up. */
  readonly try: number;
  readonly step?: string;
  readonly agent?: string;
  readonly agentVersion?: string;
  readonly repository?: string;
  readonly branch?: string;
  readonly commit?: string;
  /** Facts that came from variables which a step of the job could have rewritten. */
  readonly fromVariables?: readonly string[];
}

/** Facts of the token; never the token. */
export interface TokenFacts {
  /** First 16 hex digits of SHA-256 of the token. */
  readonly fingerprint: string;
  /** RFC 3339, UTC. */
  readonly expiresOn: string;
  readonly issuedOn?: string;
  /** Entra's token id of the credential, which its sign-in log holds too. */
  readonly uti?: string;
}

/** What joins this record to the issuers' own logs. */
export interface IssuerFacts {
  /** The issuer's `Date` header, RFC 3339, UTC. */
  readonly date?: string;
  /** Agent's clock minus issuer's clock; flagged over 120 seconds. */
  readonly skewSeconds?: number;
  /** Request, trace and correlation ids by name. */
  readonly ids?: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface Outcome {
  readonly code: 'OK' | ErrorCode;
  /** The provider's own code, such as `AADSTS700213`. */
  readonly providerCode?: string;
  readonly reason?: string;
}

/** A record before it is chained. */
export interface RecordDraft {
  readonly event: RecordEvent;
  readonly recordId: string;
  /** `recordId` of the intent that this record belongs to. */
  readonly intentId: string;
  /** The agent's time, RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** Milliseconds since the stage's process began; not moved by clock changes. */
  readonly monotonicMilliseconds: number;
  readonly who: Who;
  readonly what: What;
  readonly where: Where;
  readonly purpose?: string;
  readonly outcome: Outcome;
  readonly token?: TokenFacts;
  readonly issuer?: IssuerFacts;
}

/** One line of a ledger. `hash` covers everything before it in the line, `prev` included. */
export interface AuditRecord extends RecordDraft {
  readonly v: 1;
  readonly seq: number;
  readonly prev: string;
  readonly hash: string;
}
