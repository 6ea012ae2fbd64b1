import { type ErrorCode, type ProviderFacts, ScopedTokenError } from '../errors.ts';
import type { HttpResponse } from './http.ts';

/** Headers by which the services name a request in their own logs. */
const idHeaders = ['x-ms-request-id', 'x-vss-e2eid', 'activityid', 'x-ms-correlation-request-id', 'x-msedge-ref'];

/** Ids from an answer's headers, by header name. */
export function requestIds(response: HttpResponse): Record<string, string> {
  const ids: Record<string, string> = {};
  for (const name of idHeaders) {
    const value = response.headers[name];
    if (value && /^[\w.:;=/ -]{1,200}$/.test(value)) ids[name] = value;
  }
  return ids;
}

/** THROTTLED or SERVER_UNAVAILABLE after the retries; `undefined` for every other status. */
export function outage(peer: string, response: HttpResponse): ScopedTokenError | undefined {
  const tries = response.attempts === 1 ? 'one try' : `${response.attempts} tries`;
  const provider: ProviderFacts = { code: `HTTP ${response.status}`, ids: requestIds(response) };
  if (response.status === 429) {
    const after = response.headers['retry-after'];
    return new ScopedTokenError('THROTTLED', {
      happened: `${peer} answered "too many requests" (429) after ${tries}.`,
      ...(after ? { why: `It asks to wait: Retry-After ${printableToken(after)}.` } : {}),
      next: 'Run again later. If it happens often, fewer jobs must ask at the same moment.',
      provider,
    });
  }
  if (response.status === 408 || response.status >= 500) {
    return new ScopedTokenError('SERVER_UNAVAILABLE', {
      happened: `${peer} answered with status ${response.status} after ${tries}.`,
      why: 'The service has an outage; nothing is wrong with the connection or the pipeline.',
      next: 'Run again later, and look at the service’s status page.',
      provider,
    });
  }
  return undefined;
}

/** What an answer is like, for messages: its status and content type; never its text. */
export function shapeOf(response: HttpResponse): string {
  const type = response.headers['content-type'];
  const length = response.body.length === 0 ? 'an empty body' : `${response.body.length} characters`;
  return `status ${response.status}, ${type ? `content type ${printableToken(type)}` : 'no content type'}, ${length}`;
}

/** The answer's JSON object; `undefined` when it is none. */
export function jsonObject(response: HttpResponse): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(response.body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** A token in a field of the answer: printable ASCII without blanks (RFC 6750 §2.1); `undefined` for anything else. */
export function tokenField(response: HttpResponse, field: string): string | undefined {
  const token = jsonObject(response)?.[field];
  return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined;
}

/** One line of a service's own words, short and without markup; `undefined` when it is markup. */
export function providerSentence(text: unknown): string | undefined {
  if (typeof text !== 'string' || /<[a-z!/]/i.test(text)) return undefined;
  const line = text.split(/\r|\n/)[0]?.trim();
  return line ? line.slice(0, 400) : undefined;
}

function printableToken(text: string): string {
  return text.replace(/[^\w.,:;=/+ -]/g, '').slice(0, 80);
}

/** An error for an answer that is none of the known kinds. */
export function badAnswer(code: ErrorCode, peer: string, response: HttpResponse, next: string): ScopedTokenError {
  return new ScopedTokenError(code, {
    happened: `${peer} gave an answer that is not understood: ${shapeOf(response)}.`,
    next,
    provider: { code: `HTTP ${response.status}`, ids: requestIds(response) },
  });
}
