import type { Agent } from 'node:http';
import type { SecureContext } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';

/**
 * An agent whose connections go through a proxy by CONNECT (RFC 9110 §9.3.6). Loaded only where the machine's agent has
 * a proxy. The credentials are given apart from the address, so that no characters of theirs need encoding.
 */
export function proxyAgent(address: URL, credentials: string | undefined, context: SecureContext | undefined): Agent {
  return new HttpsProxyAgent(address, {
    keepAlive: true,
    rejectUnauthorized: true,
    ...(credentials ? { headers: { 'Proxy-Authorization': `Basic ${credentials}` } } : {}),
    ...(context ? { secureContext: context } : {}),
  });
}
