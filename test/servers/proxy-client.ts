import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { HttpsProxyAgent } from 'https-proxy-agent';

/** What a client of the lab needs to reach it. */
export interface LabAccess {
  readonly proxy: { readonly urlWithCredentials: string };
  readonly caFile: string;
}

export interface ClientRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A `URLSearchParams` is sent as a form. */
  readonly body?: string | Buffer | URLSearchParams;
  /** Proxy address to use instead of the lab's, such as one without credentials. */
  readonly proxyUrl?: string;
  readonly timeLimitMilliseconds?: number;
}

export interface ClientAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as text. */
  text(): string;
  /** The body as JSON; throws when it is none. */
  json<Shape = Record<string, unknown>>(): Shape;
}

/**
 * One HTTPS request through the lab's proxy, as a plain client of the lab makes it: no retry, no redirect. Rejects with
 * the connection's error; a refusal of the proxy becomes an answer with the proxy's status.
 */
export function labRequest(lab: LabAccess, url: string, options: ClientRequest = {}): Promise<ClientAnswer> {
  const isForm = options.body instanceof URLSearchParams;
  const body = isForm ? String(options.body) : (options.body as string | Buffer | undefined);
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      agent: new HttpsProxyAgent(options.proxyUrl ?? lab.proxy.urlWithCredentials),
      ca: readFileSync(lab.caFile),
      headers: {
        ...(isForm ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
        ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
        ...options.headers,
      },
    });
    // A timer of our own: while the tunnel is not open, the request can neither run out of time nor report its end.
    const limit = setTimeout(() => {
      const error = Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' });
      reject(error);
      outgoing.destroy(error);
    }, options.timeLimitMilliseconds ?? 10_000);
    outgoing.on('close', () => clearTimeout(limit));
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          text: () => whole.toString('utf8'),
          json: () => JSON.parse(whole.toString('utf8')),
        });
      });
    });
    outgoing.end(body);
  });
}
