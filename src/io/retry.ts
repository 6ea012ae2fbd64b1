import { ScopedTokenError } from '../errors.ts';
import { type HttpRequest, type HttpResponse, limits } from './http.ts';
import type { Clock } from './io.ts';

const healingCodes = new Set(['NETWORK_TIMEOUT', 'NETWORK_FAILED', 'PROXY_FAILED']);

/**
 * Repeats what can heal: timeouts, resets, 408, 429, 5xx and what the request names itself. Bounded in count and in
 * total time; `Retry-After` (RFC 9110 §10.2.3) is honoured while it fits.
 */
export async function withRetries(
  request: HttpRequest,
  clock: Clock,
  attempt: () => Promise<Omit<HttpResponse, 'attempts'>>,
): Promise<HttpResponse> {
  const began = clock.monotonicMilliseconds();
  for (let count = 1; ; count += 1) {
    const result = await settle(attempt);
    const last = count >= limits.attempts;
    const response = 'response' in result ? { ...result.response, attempts: count } : undefined;
    if (response && (last || !mayHeal(response, request))) return response;
    if ('failure' in result && (last || !isHealing(result.failure))) throw result.failure;
    const wait = delayMilliseconds(count, response, clock);
    const left = limits.totalMilliseconds - (clock.monotonicMilliseconds() - began);
    if (wait >= left) {
      if (response) return response;
      throw (result as { failure: unknown }).failure;
    }
    await clock.sleep(wait);
  }
}

type Settled = { response: Omit<HttpResponse, 'attempts'> } | { failure: unknown };

async function settle(attempt: () => Promise<Omit<HttpResponse, 'attempts'>>): Promise<Settled> {
  try {
    return { response: await attempt() };
  } catch (failure) {
    return { failure };
  }
}

function isHealing(failure: unknown): boolean {
  return failure instanceof ScopedTokenError && healingCodes.has(failure.code);
}

function mayHeal(response: HttpResponse, request: HttpRequest): boolean {
  if (response.status === 408 || response.status === 429 || response.status >= 500) return true;
  return request.alsoRetry?.(response) ?? false;
}

function delayMilliseconds(count: number, response: HttpResponse | undefined, clock: Clock): number {
  const asked = retryAfterMilliseconds(response?.headers['retry-after'], response?.headers['date'], clock);
  const jitter = 0.8 + Math.random() * 0.4;
  return asked ?? limits.firstDelayMilliseconds * 2 ** (count - 1) * jitter;
}

/**
 * Reads `Retry-After` in either form. A date is compared with the server's own `Date`, so that a wrong clock on the
 * agent does not matter.
 */
export function retryAfterMilliseconds(
  value: string | undefined,
  serverDate: string | undefined,
  clock: Clock,
): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value.trim())) return Number(value) * 1000;
  const until = /^[A-Z][a-z]+, /.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(until)) return undefined;
  const server = Date.parse(serverDate ?? '');
  return Math.max(0, until - (Number.isNaN(server) ? clock.now().getTime() : server));
}
