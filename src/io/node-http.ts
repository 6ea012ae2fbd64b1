import http from 'node:http';
import https from 'node:https';
import { ScopedTokenError } from '../errors.ts';
import { cancellation } from './cancellation.ts';
import { type Http, type HttpRequest, type HttpResponse, isAllowedHost, limits } from './http.ts';
import type { Clock } from './io.ts';
import { type Destination, networkFailure, proxyRefusal, timeoutFailure } from './network-failure.ts';
import { withRetries } from './retry.ts';
import { type NetworkSettings, type Route, routesOf } from './routes.ts';

type Answer = Omit<HttpResponse, 'attempts'>;

/**
 * HTTP over Node's own client. Connections go through the agent's proxy and trust the agent's certificate authority;
 * one TLS context serves all of them.
 */
export function createHttp(settings: NetworkSettings, clock: Clock, cancelled: AbortSignal): Http {
  const routeTo = routesOf(settings);
  let newest: { server: Date; skewSeconds: number } | undefined;

  const noteDate = (answer: Answer) => {
    const date = Date.parse(answer.headers['date'] ?? '');
    if (Number.isNaN(date)) return;
    newest = { server: new Date(date), skewSeconds: Math.round((clock.now().getTime() - date) / 1000) };
  };

  return {
    skewSeconds: () => newest?.skewSeconds,
    serverDate: () => newest?.server,
    async send(request) {
      const url = new URL(request.url);
      judge(request, url);
      // A setting that cannot be used is no passing fault: it is told before the first try.
      await routeTo(url);
      return withRetries(request, clock, async () => {
        const answer = await trusted(
          (route) => exchange(request, url, route, cancelled),
          () => routeTo(url),
        );
        noteDate(answer);
        return answer;
      });
    },
  };
}

/** Sends once; a certificate that the narrow trust refuses is tried once more with all that may be trusted. */
async function trusted(send: (route: Route) => Promise<Answer>, findRoute: () => Promise<Route>): Promise<Answer> {
  const route = await findRoute();
  try {
    return await send(route);
  } catch (error) {
    if (!route.widen || !(error instanceof ScopedTokenError) || error.code !== 'NETWORK_TLS') throw error;
    route.widen();
    return send(await findRoute());
  }
}

function judge(request: HttpRequest, url: URL): void {
  const plain = url.protocol === 'http:' && request.plainHttp === true;
  if ((url.protocol === 'https:' || plain) && isAllowedHost(url.hostname, request.allowedHosts)) return;
  throw new ScopedTokenError('HOST_NOT_ALLOWED', {
    happened: `${url.protocol}//${url.host} may not be reached for ${request.peer}.`,
    why: `Credentials leave only for ${request.allowedHosts.map((host) => (host.startsWith('.') ? `*${host}` : host)).join(', ')}, by https.`,
    next: 'Correct the host. No input can add one.',
  });
}

function exchange(request: HttpRequest, url: URL, route: Route, cancelled: AbortSignal): Promise<Answer> {
  const to: Destination = { peer: request.peer, host: url.hostname, ...(route.proxy ? { proxy: route.proxy } : {}) };
  return new Promise<Answer>((resolve, reject) => {
    if (cancelled.aborted) return reject(cancellation());
    const client = url.protocol === 'http:' ? http : https;
    const body = Buffer.from(request.body ?? '', 'utf8');
    const sent = client.request(url, {
      method: request.method,
      headers: {
        'user-agent': 'scoped-token',
        accept: '*/*',
        ...request.headers,
        'content-length': String(body.length),
      },
      ...route.options,
    });
    const finish = (act: () => void) => {
      clearTimeout(timer);
      cancelled.removeEventListener('abort', onCancel);
      act();
    };
    const fail = (error: unknown) =>
      finish(() => {
        sent.destroy();
        reject(error instanceof ScopedTokenError ? error : networkFailure(error, to));
      });
    const onCancel = () => fail(cancellation());
    const timer = setTimeout(() => fail(timeoutFailure(to, limits.attemptMilliseconds)), limits.attemptMilliseconds);
    cancelled.addEventListener('abort', onCancel, { once: true });
    sent.on('proxyConnect', (connect: { statusCode: number }) => {
      if (connect.statusCode !== 200) fail(proxyRefusal(connect.statusCode, to));
    });
    sent.on('error', fail);
    sent.on('response', (response) => {
      readBody(response, request.peer).then((text) => {
        finish(() => resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), body: text }));
      }, fail);
    });
    sent.end(body);
  });
}

async function readBody(response: http.IncomingMessage, peer: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limits.bodyBytes) {
      throw new ScopedTokenError('TARGET_BAD_ANSWER', {
        happened: `${peer} answered with more than ${limits.bodyBytes} bytes.`,
        next: 'Check that the address is the right one; an answer of a token route is a few kilobytes.',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
