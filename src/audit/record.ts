import type { ErrorCode } from '../errors.ts';
import type { Enforcement, Proof } from '../token/narrowed-token.ts';

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
  /** @minimum 0 */
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
  /**
   * @asType integer
   * @minimum 1
   */
  readonly stageAttempt?: number;
  readonly job?: string;
  /**
   * @asType integer
   * @minimum 1
   */
  readonly jobAttempt: number;
  /**
   * 1 for the first run of the main stage; a retried step (`retryCountOnTaskFailure`) counts up.
   * @asType integer
   * @minimum 1
   */
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
  /**
   * RFC 3339, UTC.
   * @pattern ^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$
   */
  readonly expiresOn: string;
  /**
   * RFC 3339, UTC.
   * @pattern ^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$
   */
  readonly issuedOn?: string;
  /** Entra's token id of the credential, which its sign-in log holds too. */
  readonly uti?: string;
}

/** What joins this record to the issuers' own logs. */
export interface IssuerFacts {
  /**
   * The issuer's `Date` header, RFC 3339, UTC.
   * @pattern ^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$
   */
  readonly date?: string;
  /** Agent's clock minus issuer's clock; flagged over 120 seconds. */
  readonly skewSeconds?: number;
  /**
   * Request, trace and correlation ids by name. Two of them are looked for by the queries for other logs:
   * `clientRequestId` or `correlation_id` (Entra's sign-in log) and `scid` (a shared access signature's own id).
   */
  readonly ids?: Readonly<Record<string, string>>;
}

/** How it ended. */
export interface Outcome {
  /** Stable; `OK`, or why there is no token or no revocation. */
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
  /**
   * The agent's time, RFC 3339, UTC, milliseconds.
   * @pattern ^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$
   */
  readonly time: string;
  /**
   * Milliseconds since the stage's process began; not moved by clock changes.
   * @minimum 0
   */
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
  /**
   * 1 for the first record of a ledger, then up by one.
   * @asType integer
   * @minimum 1
   */
  readonly seq: number;
  /**
   * `hash` of the record before; in the first record, SHA-256 of the ids of organisation, project, plan, job and step.
   * @pattern ^[0-9a-f]{64}$
   */
  readonly prev: string;
  /**
   * SHA-256, lower-case hex, of this line's bytes up to `,"hash":`, closed with a brace.
   * @pattern ^[0-9a-f]{64}$
   */
  readonly hash: string;
}
