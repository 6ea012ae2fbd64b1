import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import vm from 'node:vm';
import { ScopedTokenError } from '../errors.ts';
import type { Secret } from '../token/secret.ts';

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
}

/** The way to one URL. */
export interface Route {
  /** `host:port`, for messages. */
  readonly proxy?: string;
  /** Options for `http.request`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Makes the function that finds the way to a URL. The TLS context and the proxy agent are made once, when first needed. */
export function routesOf(settings: NetworkSettings): (url: URL) => Promise<Route> {
  let context: tls.SecureContext | undefined;
  let proxied: Promise<unknown> | undefined;
  const bypass = bypassOf(settings);

  return async (url) => {
    const secure = url.protocol === 'https:';
    context ??= settings.caFile ? trusting(settings.caFile) : undefined;
    const trust = secure && context ? { secureContext: context } : {};
    if (!settings.proxyUrl || bypass(url)) return { options: trust };
    const proxy = new URL(settings.proxyUrl);
    proxied ??= agentFor(proxy, settings, context);
    return { proxy: proxy.host, options: { ...trust, agent: await proxied } };
  };
}

/**
 * Trusts the agent's file beside Node's own roots, which include the administrator's NODE_EXTRA_CA_CERTS. The documented
 * option `ca` replaces those roots; listing them again costs 20 to 30 ms, a fifth of the step. Node's context can add to
 * its default store; where it cannot, the roots are listed.
 */
function trusting(caFile: string): tls.SecureContext {
  try {
    const authorities = readFileSync(caFile, 'utf8');
    // Adding to a store takes anything in silence: what is no certificate is refused here.
    new X509Certificate(authorities);
    const context = tls.createSecureContext();
    const store: { addCACert?: (pem: string) => void } = context.context;
    if (typeof store.addCACert !== 'function')
      return tls.createSecureContext({ ca: [...tls.rootCertificates, authorities] });
    store.addCACert(authorities);
    return context;
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

async function agentFor(
  proxy: URL,
  settings: NetworkSettings,
  context: tls.SecureContext | undefined,
): Promise<unknown> {
  const { proxyAgent } = await import('./proxy-agent.ts');
  const user = settings.proxyUsername ?? decodeURIComponent(proxy.username);
  const password = settings.proxyPassword?.reveal() ?? decodeURIComponent(proxy.password);
  const credentials = user || password ? Buffer.from(`${user}:${password}`, 'utf8').toString('base64') : undefined;
  const address = new URL(proxy);
  address.username = '';
  address.password = '';
  return proxyAgent(address, credentials, context);
}

const patternMilliseconds = 200;

function bypassOf(settings: NetworkSettings): (url: URL) => boolean {
  const patterns = readPatterns(settings);
  return (url) =>
    patterns.some((pattern) => {
      try {
        // A pattern may be catastrophic: it runs with a time limit.
        return (
          vm.runInNewContext(
            'new RegExp(pattern, "i").test(url)',
            { pattern, url: url.href },
            { timeout: patternMilliseconds },
          ) === true
        );
      } catch {
        settings.warn(`The agent's proxy bypass pattern ${JSON.stringify(pattern)} cannot be used; it is ignored.`);
        patterns.splice(patterns.indexOf(pattern), 1);
        return false;
      }
    });
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
