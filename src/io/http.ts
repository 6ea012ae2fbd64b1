/** Hosts that a request may go to: a full name, or a suffix that starts with a dot. */
export type AllowedHosts = readonly string[];

/** One request. Redirects are never followed. */
export interface HttpRequest {
  /** Whom we talk to, for messages: `the pipeline's OIDC route`. */
  readonly peer: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly allowedHosts: AllowedHosts;
  /** Plain http is meant: for a collection that is itself http. */
  readonly plainHttp?: boolean;
  /** True for answers that may heal although their status is not 408, 429 or 5xx. */
  readonly alsoRetry?: (response: HttpResponse) => boolean;
}

/** One answer, read whole. Header names are lower-case. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** At most 1 MiB of UTF-8 text. */
  readonly body: string;
  /** How many requests it took. */
  readonly attempts: number;
}

/**
 * The one way to the network: proxy, certificate authorities, time limits, size cap and retries are decided here.
 *
 * Resolves for every status. Throws NETWORK_*, PROXY_*, HOST_NOT_ALLOWED or CANCELLED.
 */
export interface Http {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Agent's clock minus server's clock in seconds, from the newest `Date` header; `undefined` before the first answer. */
  skewSeconds(): number | undefined;
  /** The newest `Date` header. */
  serverDate(): Date | undefined;
}

/** Limits of one request, all in milliseconds but the counts. */
export const limits = {
  attempts: 4,
  attemptMilliseconds: 10_000,
  totalMilliseconds: 45_000,
  firstDelayMilliseconds: 500,
  bodyBytes: 1_048_576,
} as const;

/** True when the host is on the list. Hosts compare without case. */
export function isAllowedHost(host: string, allowed: AllowedHosts): boolean {
  const name = host.toLowerCase();
  return allowed.some((entry) => (entry.startsWith('.') ? isOneLabelUnder(name, entry) : name === entry));
}

function isOneLabelUnder(host: string, suffix: string): boolean {
  if (!host.endsWith(suffix)) return false;
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(host.slice(0, -suffix.length));
}
