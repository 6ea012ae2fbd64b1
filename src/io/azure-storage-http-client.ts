import {
  type CompatResponse,
  type RequestPolicy,
  toHttpHeadersLike,
  type WebResourceLike,
} from '@azure/core-http-compat';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import type { ScopedTokenError } from '../errors.ts';
import type { AllowedHosts, Http, HttpRequest, HttpResponse } from './http.ts';
import { badAnswer } from './unexpected-status.ts';

/** What the storage library's requests get from us. */
export interface StorageHttpOptions {
  readonly peer: string;
  readonly allowedHosts: AllowedHosts;
  /** Sent as the request's id, so that the service's log can be joined with the record. */
  readonly clientRequestId: string;
}

/** What became of the library's last request; the library hides answers and causes. */
export interface StorageExchange {
  response?: HttpResponse;
  failure?: unknown;
}

/** Lets the storage library talk through our transport. It still takes a client of the older shape. */
export function azureStorageHttpClient(http: Http, options: StorageHttpOptions, seen: StorageExchange): RequestPolicy {
  return {
    async sendRequest(request: WebResourceLike): Promise<CompatResponse> {
      try {
        const response = await http.send(toRequest(request, options));
        seen.response = response;
        // The library would follow a redirect, with the credential.
        if (response.status >= 300 && response.status < 400) throw redirected(options.peer, response);
        const headers = toHttpHeadersLike(createHttpHeaders({ ...response.headers }));
        return { request, status: response.status, headers, bodyAsText: response.body };
      } catch (error) {
        seen.failure = error;
        throw error;
      }
    },
  };
}

function redirected(peer: string, response: HttpResponse): ScopedTokenError {
  return badAnswer(
    'TARGET_REFUSED',
    peer,
    response,
    'Redirects are never followed. Check that the resource is the account’s own URL.',
  );
}

function toRequest(request: WebResourceLike, options: StorageHttpOptions): HttpRequest {
  return {
    peer: options.peer,
    method: request.method as HttpRequest['method'],
    url: request.url,
    headers: { ...request.headers.toJson(), 'x-ms-client-request-id': options.clientRequestId },
    allowedHosts: options.allowedHosts,
    ...(typeof request.body === 'string' ? { body: request.body } : {}),
  };
}
