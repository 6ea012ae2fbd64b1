import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import { ScopedTokenError } from '../errors.ts';
import { Secret } from '../token/secret.ts';

/** How the agent reaches the network, as it was configured. */
export interface NetworkSettings {
  readonly proxyUrl?: string;
  readonly proxyUsername?: string;
  readonly proxyPassword?: Secret;
  /** JSON array of regular expressions (ECMAScript) over the whole URL. */
  readonly proxyBypassList?: string;
  /** PEM file of a certificate authority to trust beside Node's own. */
  readonly caFile?: string;
  /** Called once for each part of the settings that cannot be used. */
  readonly warn: (message: string) => void;
  /** Registers a value with the agent's masker: loud logs of Node show the header to the proxy. */
  readonly mask: (value: Secret) => void;
}

/** The way to one URL. */
export interface Route {
  /** `host:port`, for messages. */
  readonly proxy?: string;
  /** Options for `http.request`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Trusts everything that may be trusted, for a certificate that the first context refused; absent once it was called. */
  readonly widen?: () => void;
}

/**
 * Makes the function that finds the way to a URL. The TLS context and the proxy agent are made once, when first needed.
 *
 * With an authority file, the first context trusts that file alone: behind a proxy with a certificate of its own it is
 * all that is needed, and listing Node's roots beside it costs 20 to 30 ms. A certificate that it refuses widens the
 * trust to all of them, before anything was sent.
 */
export function routesOf(settings: NetworkSettings): (url: URL) => Promise<Route> {
  let context: tls.SecureContext | null | undefined;
  let proxied: Promise<unknown> | undefined;
  let isWide = !settings.caFile;
  const bypass = bypassOf(settings);
  // At once, long before the first request could show it.
  const credentials = settings.proxyUrl ? proxyCredentials(settings) : undefined;
  if (credentials) settings.mask(credentials);
  const trust = (): tls.SecureContext | null => {
    context ??= settings.caFile ? trusting(settings.caFile, isWide) : null;
    return context;
  };
  const widen = () => {
    isWide = true;
    context = undefined;
    proxied = undefined;
  };

  return async (url) => {
    const secureContext = trust();
    // Said outright, NODE_TLS_REJECT_UNAUTHORIZED has no effect.
    const checked = url.protocol === 'https:' ? { rejectUnauthorized: true } : {};
    const trusted = { ...checked, ...(checked.rejectUnauthorized && secureContext ? { secureContext } : {}) };
    const widening = isWide ? {} : { widen };
    if (!settings.proxyUrl || (await bypass(url))) return { options: trusted, ...widening };
    const proxy = proxyAddress(settings.proxyUrl);
    proxied ??= agentFor(proxy, settings, secureContext ?? undefined);
    return { proxy: proxy.host, options: { ...trusted, agent: await proxied }, ...widening };
  };
}

/** The agent's file alone, or beside Node's own roots and the administrator's NODE_EXTRA_CA_CERTS, which `ca` replaces. */
function trusting(caFile: string, isWide: boolean): tls.SecureContext {
  try {
    const authorities = readFileSync(caFile, 'utf8');
    // Node takes a file without certificates in silence: it is refused here.
    new X509Certificate(authorities);
    if (!isWide) return tls.createSecureContext({ ca: authorities });
    return tls.createSecureContext({ ca: [...tls.rootCertificates, authorities, ...extraAuthorities()] });
  } catch (cause) {
    throw new ScopedTokenError(
      'NETWORK_TLS',
      {
        happened: `The certificate authority file ${caFile} cannot be used.`,
        why: cause instanceof Error ? cause.message : 'It could not be read.',
        next: 'Check the file that the agent was configured with (--sslcacert): it must exist, be readable and hold PEM certificates.',
      },
      { cause },
    );
  }
}

/** What the administrator gave beside Node's roots. Node itself passes over a file that it cannot read, and says so. */
function extraAuthorities(): string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  try {
    return file ? [readFileSync(file, 'utf8')] : [];
  } catch {
    return [];
  }
}

async function agentFor(
  proxy: URL,
  settings: NetworkSettings,
  context: tls.SecureContext | undefined,
): Promise<unknown> {
  const { proxyAgent } = await import('./proxy-agent.ts');
  const address = new URL(proxy);
  address.username = '';
  address.password = '';
  return proxyAgent(address, proxyCredentials(settings)?.reveal(), context);
}

/** What the proxy is told (RFC 7617), in base64. */
function proxyCredentials({ proxyUrl, proxyUsername, proxyPassword }: NetworkSettings): Secret | undefined {
  const address = proxyUrl && URL.canParse(proxyUrl) ? new URL(proxyUrl) : undefined;
  const user = proxyUsername ?? decoded(address?.username ?? '');
  const password = proxyPassword?.reveal() ?? decoded(address?.password ?? '');
  return user || password ? new Secret(Buffer.from(`${user}:${password}`, 'utf8').toString('base64')) : undefined;
}

function proxyAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ScopedTokenError('PROXY_FAILED', {
    happened: 'The address of the proxy that the agent is configured with is no http or https URL.',
    next: 'Configure the agent again with --proxyurl, such as http://proxy.contoso.example:8080.',
  });
}

/** Percent-decoded; as it stands where it is not encoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const patternMilliseconds = 200;

/** Tells whether the agent's bypass list names a URL. A pattern may be catastrophic: each runs with a time limit. */
function bypassOf(settings: NetworkSettings): (url: URL) => Promise<boolean> {
  const patterns = readPatterns(settings);
  if (patterns.length === 0) return async () => false;
  const refused = new Set<string>();
  return async (url) => {
    const { default: vm } = await import('node:vm');
    return patterns.some((pattern) => {
      if (refused.has(pattern)) return false;
      try {
        const names = { pattern, url: url.href };
        return (
          vm.runInNewContext('new RegExp(pattern, "i").test(url)', names, { timeout: patternMilliseconds }) === true
        );
      } catch {
        refused.add(pattern);
        settings.warn(`The agent's proxy bypass pattern ${JSON.stringify(pattern)} cannot be used; it is ignored.`);
        return false;
      }
    });
  };
}

function readPatterns(settings: NetworkSettings): string[] {
  if (!settings.proxyBypassList) return [];
  try {
    const list: unknown = JSON.parse(settings.proxyBypassList);
    if (Array.isArray(list) && list.every((entry) => typeof entry === 'string')) return list as string[];
  } catch {
    // reported below, like every other unusable list
  }
  settings.warn("The agent's proxy bypass list is not a JSON array of regular expressions; it is ignored.");
  return [];
}
