import { type ErrorText, ScopedTokenError } from '../errors.ts';

const unknownCode = 'an unknown error';

const tlsCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
]);

/** Where a request was going, for the message. */
export interface Destination {
  readonly peer: string;
  readonly host: string;
  /** `host:port` of the proxy, when one is used for this request. */
  readonly proxy?: string;
}

/** Turns a socket, TLS or DNS error into one of NETWORK_* or PROXY_FAILED. The cause is kept. */
export function networkFailure(cause: unknown, to: Destination): ScopedTokenError {
  const code = codeOf(cause);
  const where = `${to.peer} (${to.host})`;
  if (to.proxy && isAbout(cause, to.proxy)) {
    return new ScopedTokenError(
      'PROXY_FAILED',
      {
        happened: `The proxy ${to.proxy} could not be reached on the way to ${where}.`,
        why:
          code === unknownCode ? 'It closed the connection without an answer.' : `The connection failed with ${code}.`,
        next: 'Check the proxy that the agent is configured with (its .proxy file, or --proxyurl), from the agent machine.',
      },
      { cause },
    );
  }
  if (tlsCodes.has(code) || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'))
    return tlsFailure(code, where, cause);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new ScopedTokenError(
      'NETWORK_NAME',
      {
        happened: `The name of ${where} could not be resolved (${code}).`,
        why: 'The name is misspelt, or the agent reaches it through a private DNS zone or a proxy that is not configured.',
        next: `Resolve ${to.host} on the agent machine; if the agent needs a proxy, configure the agent with --proxyurl.`,
      },
      { cause },
    );
  }
  return new ScopedTokenError(
    'NETWORK_FAILED',
    {
      happened: `The connection to ${where} failed with ${code}.`,
      next: `Check from the agent machine that ${to.host} answers on port 443${to.proxy ? ` through the proxy ${to.proxy}` : ''}; run again if it was an outage.`,
    },
    { cause },
  );
}

const timeCodes = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'];

/** A certificate whose fault is not that nobody vouches for it. */
function tlsFault(code: string, where: string): ErrorText | undefined {
  if (timeCodes.includes(code))
    return {
      happened: `The certificate of ${where} is outside its time of validity (${code}).`,
      next: 'Check the clock of the agent machine; if it is right, whoever runs the server, or the proxy that stands in for it, must renew the certificate. agent.skipcertvalidation has no effect here.',
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      happened: `The certificate that ${where} presented is for another host (${code}).`,
      next: 'Check where the name leads on the agent machine (DNS, hosts file, proxy). Another certificate authority will not help, and agent.skipcertvalidation has no effect here.',
    };
  return undefined;
}

function tlsFailure(code: string, where: string, cause: unknown): ScopedTokenError {
  const fault = tlsFault(code, where);
  if (fault) return new ScopedTokenError('NETWORK_TLS', fault, { cause });
  return new ScopedTokenError(
    'NETWORK_TLS',
    {
      happened: `The certificate of ${where} is not trusted (${code}).`,
      why: 'A proxy or firewall presents its own certificate, or the server uses a private certificate authority.',
      next: 'Give the agent the certificate authority: configure it with --sslcacert (agent.cainfo), or set NODE_EXTRA_CA_CERTS in the environment of the agent service. Checks are never switched off towards identity providers and targets; agent.skipcertvalidation has no effect here.',
    },
    { cause },
  );
}

/** No answer in time. */
export function timeoutFailure(to: Destination, milliseconds: number): ScopedTokenError {
  return new ScopedTokenError('NETWORK_TIMEOUT', {
    happened: `No answer from ${to.peer} (${to.host}) within ${milliseconds / 1000} s.`,
    why: to.proxy
      ? `The request went through the proxy ${to.proxy}.`
      : 'The request went out directly, without a proxy.',
    next: `Check from the agent machine that ${to.host} answers on port 443; run again if it was an outage.`,
  });
}

/** The proxy answered CONNECT with something else than 200. */
export function proxyRefusal(status: number, to: Destination): ScopedTokenError {
  if (status === 407) {
    return new ScopedTokenError('PROXY_AUTHENTICATION', {
      happened: `The proxy ${to.proxy} asks for other credentials (407) on the way to ${to.peer} (${to.host}).`,
      why: 'The user name or password that the agent was configured with is missing, wrong or expired.',
      next: 'Configure the agent again with --proxyurl, --proxyusername and --proxypassword.',
    });
  }
  if (status >= 500) {
    return new ScopedTokenError('PROXY_REFUSED', {
      happened: `The proxy ${to.proxy} could not reach ${to.host} for ${to.peer} (status ${status}).`,
      next: `Run again; if it stays, ask the proxy's administrator whether ${to.host} resolves and answers from there.`,
    });
  }
  return new ScopedTokenError('PROXY_REFUSED', {
    happened: `The proxy ${to.proxy} refused to connect to ${to.host} for ${to.peer} (status ${status}).`,
    why: 'The proxy does not allow that host.',
    next: `Ask the proxy's administrator to allow CONNECT to ${to.host}:443.`,
  });
}

function codeOf(cause: unknown): string {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const code = (error as Error & { code?: unknown }).code;
    if (typeof code === 'string') return code;
    if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  }
  return unknownCode;
}

function isAbout(cause: unknown, proxy: string): boolean {
  // The proxy took the connection and dropped it before it answered CONNECT.
  if (cause instanceof Error && cause.message.startsWith('Proxy connection ended')) return true;
  const error = cause as { address?: unknown; port?: unknown; hostname?: unknown; syscall?: unknown } | null;
  if (typeof error !== 'object' || error === null) return false;
  const host = proxy.replace(/:\d+$/, '');
  if (error.syscall === 'getaddrinfo') return error.hostname === host;
  return error.syscall === 'connect';
}
