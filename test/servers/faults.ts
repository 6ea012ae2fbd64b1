import type { Answer, Call } from './call.ts';

/** The stand-ins that faults and recorded requests name. `oidc` and `azureDevOps` share one host. */
export type ServerName = 'proxy' | 'oidc' | 'entra' | 'azureDevOps' | 'registry' | 'storage';

/** A certificate that a client must not accept. Only the proxy can present one: it ends the tunnel itself. */
export type BadCertificate = 'untrusted' | 'wrongName' | 'expired';

/**
 * What happens instead of the normal answer, or to it: a canned answer, a connection reset, no answer at all, a delay
 * before the normal answer, a change of the normal answer, or (proxy only) a tunnel that ends at a bad certificate.
 * `undefined` lets the request pass.
 */
export type FaultOutcome =
  | Answer
  | 'reset'
  | 'hang'
  | { readonly delayMilliseconds: number }
  | { readonly alter: (answer: Answer) => Answer }
  | { readonly certificate: BadCertificate }
  | undefined;

/** Decides for one request. `count` is 1 for the first request that this server saw since the fault was set. */
export type Fault = (request: Call, count: number) => FaultOutcome;

/** The faults that are set, one a server at most. */
export class FaultBoard {
  readonly #faults = new Map<ServerName, { fault: Fault; count: number }>();

  /** Replaces the server's fault, and starts its count anew. */
  set(server: ServerName, fault: Fault): void {
    this.#faults.set(server, { fault, count: 0 });
  }

  /** Forgets one server's fault, or all. */
  clear(server?: ServerName): void {
    if (server) this.#faults.delete(server);
    else this.#faults.clear();
  }

  /** Asks the server's fault about a request, and counts it. */
  judge(server: ServerName, request: Call): FaultOutcome {
    const entry = this.#faults.get(server);
    if (!entry) return undefined;
    entry.count += 1;
    return entry.fault(request, entry.count);
  }
}

/** A fault for the first `times` requests; later ones pass. */
export function firstTimes(times: number, outcome: FaultOutcome): Fault {
  return (_request, count) => (count <= times ? outcome : undefined);
}

/** Answers that several tests need as faults. */
export const cannedAnswers = {
  /** 429 with `Retry-After`: whole seconds, or an HTTP date. */
  throttled(retryAfter: number | Date): Answer {
    const value = typeof retryAfter === 'number' ? String(retryAfter) : retryAfter.toUTCString();
    return { status: 429, headers: { 'Retry-After': value, 'Content-Type': 'text/plain' }, body: 'Too many requests' };
  },
  unavailable(status = 503): Answer {
    return { status, headers: { 'Content-Type': 'text/plain' }, body: 'Service unavailable' };
  },
  empty(status = 200): Answer {
    return { status, body: '' };
  },
  html(status = 200): Answer {
    const body = '<!DOCTYPE html><html><head><title>Sign In</title></head><body>Sign in to continue</body></html>';
    return { status, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body };
  },
  redirect(location: string): Answer {
    return { status: 302, headers: { Location: location }, body: '' };
  },
  /** What a proxy says to missing or wrong credentials. */
  proxyAuthenticationRequired(): Answer {
    return { status: 407, headers: { 'Proxy-Authenticate': 'Basic realm="contoso egress"' }, body: '' };
  },
  /** What squid says when it cannot resolve the asked name. */
  proxyNameFailure(): Answer {
    return { status: 503, headers: { 'X-Squid-Error': 'ERR_DNS_FAIL 0' }, body: '' };
  },
} as const;
