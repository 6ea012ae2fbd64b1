/**
 * Every way a step can fail, as a closed union. A code is stable: scripts and the audit tab may switch on it.
 */
export type ErrorCode =
  // the environment of the step
  | 'ENVIRONMENT_REFUSED'
  | 'FROZEN_COPY_MISSING'
  | 'FROZEN_COPY_DIFFERS'
  | 'FACT_MISSING'
  // inputs, scopes, connection
  | 'INPUT_INVALID'
  | 'SCOPE_SYNTAX'
  | 'CONNECTION_UNUSABLE'
  | 'HOST_NOT_ALLOWED'
  // the pipeline's own OIDC route
  | 'OIDC_NOT_AVAILABLE'
  | 'OIDC_NOT_REFERENCED'
  | 'OIDC_REFUSED'
  | 'OIDC_BAD_ANSWER'
  // Entra
  | 'ENTRA_TRUST'
  | 'ENTRA_ASSERTION_EXPIRED'
  | 'ENTRA_UNKNOWN_TENANT'
  | 'ENTRA_UNKNOWN_APPLICATION'
  | 'ENTRA_REFUSED'
  | 'ENTRA_BAD_ANSWER'
  // targets
  | 'TARGET_DENIED'
  | 'TARGET_REFUSED'
  | 'TARGET_BAD_ANSWER'
  | 'TARGET_UNSUITABLE'
  | 'GRANTED_EXCESS'
  | 'GRANTED_NOTHING'
  // the network
  | 'NETWORK_TIMEOUT'
  | 'NETWORK_FAILED'
  | 'NETWORK_NAME'
  | 'NETWORK_TLS'
  | 'PROXY_FAILED'
  | 'PROXY_REFUSED'
  | 'PROXY_AUTHENTICATION'
  | 'THROTTLED'
  | 'SERVER_UNAVAILABLE'
  // evidence
  | 'LEDGER_WRITE'
  | 'LEDGER_TAMPERED'
  | 'EVIDENCE_NOT_CONFIRMED'
  | 'EVIDENCE_MISSING'
  // the rest
  | 'REVOKE_FAILED'
  | 'CANCELLED'
  | 'INTERNAL';

/** What a provider said of its own refusal; safe to print and to record. */
export interface ProviderFacts {
  /** The provider's own code, such as `AADSTS700213` or an HTTP status. */
  readonly code?: string;
  /** Ids that its support asks for: trace id, correlation id, request id. */
  readonly ids?: Readonly<Record<string, string>>;
}

/** The three things that every failure says, and what the provider said. */
export interface ErrorText {
  /** What happened, one sentence. */
  readonly happened: string;
  /** Why, as far as it is known. */
  readonly why?: string;
  /** The next thing to do. */
  readonly next: string;
  readonly provider?: ProviderFacts;
}

/**
 * The one error class. `message` is public: it never holds a token, a header or remote markup. The cause is private
 * and is shown at debug level only.
 */
export class ScopedTokenError extends Error {
  override readonly name = 'ScopedTokenError';
  readonly code: ErrorCode;
  readonly text: ErrorText;

  constructor(code: ErrorCode, text: ErrorText, options?: { cause?: unknown }) {
    super(publicMessage(code, text), options);
    this.code = code;
    this.text = text;
  }
}

function publicMessage(code: ErrorCode, text: ErrorText): string {
  const lines = [`${code}: ${text.happened}`];
  if (text.why) lines.push(`Why: ${text.why}`);
  lines.push(`Next: ${text.next}`);
  const provider = providerLine(text.provider);
  if (provider) lines.push(provider);
  return lines.join('\n');
}

function providerLine(provider: ProviderFacts | undefined): string | undefined {
  if (!provider) return undefined;
  const ids = Object.entries(provider.ids ?? {}).map(([name, value]) => `${name} ${value}`);
  const facts = [provider.code, ...ids].filter(Boolean);
  return facts.length > 0 ? `For support: ${facts.join(', ')}` : undefined;
}
