import type { IncomingHttpHeaders } from 'node:http';

/** One request, read to its end. */
export interface Call {
  readonly method: string;
  /** Lower case, without port. */
  readonly host: string;
  /** Path as it was sent, still percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query exactly as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One answer. `Date` and `Content-Length` are added by the front. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

/** The request's form fields (`application/x-www-form-urlencoded`). */
export function formFields(call: Call): URLSearchParams {
  return new URLSearchParams(call.body.toString('utf8'));
}

/** A JSON answer. */
export function jsonAnswer(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** One header's value, or undefined; repeated headers are joined as Node does. */
export function header(call: Call, name: string): string | undefined {
  const value = call.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The credential of an `Authorization: Bearer` header. */
export function bearerToken(call: Call): string | undefined {
  return /^Bearer ([^\s]+)$/i.exec(header(call, 'authorization') ?? '')?.[1];
}

/** User and password of an `Authorization: Basic` header. */
export function basicCredentials(call: Call): { readonly user: string; readonly password: string } | undefined {
  const encoded = /^Basic ([^\s]+)$/i.exec(header(call, 'authorization') ?? '')?.[1];
  if (!encoded) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Splits a request target (or an absolute path) into path and query. */
export function splitTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = target.indexOf('?');
  if (mark < 0) return { path: target, query: new URLSearchParams() };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}
