import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import type { AllowedHosts, Http, HttpRequest, HttpResponse } from './http.ts';

/** What the Azure libraries' requests get from us. */
export interface AzureHttpOptions {
  readonly peer: string;
  readonly allowedHosts: AllowedHosts;
  /** Sent as the request's id, so that the service's log can be joined with the record. */
  readonly clientRequestId: string;
  readonly alsoRetry?: (response: HttpResponse) => boolean;
}

/** What became of a library's last request; libraries hide answers and causes. */
export interface AzureExchange {
  response?: HttpResponse;
  failure?: unknown;
}

/** A request of an Azure library, in the parts that we take. */
export interface AzureRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Lets an Azure library talk through our transport. */
export function azureHttpClient(http: Http, options: AzureHttpOptions, seen: AzureExchange): HttpClient {
  return {
    async sendRequest(request) {
      const { url, method, body } = request;
      const response = await sendForAzure(http, options, seen, {
        url,
        method,
        headers: request.headers.toJSON(),
        body,
      });
      return {
        request,
        status: response.status,
        headers: createHttpHeaders({ ...response.headers }),
        bodyAsText: response.body,
      };
    },
  };
}

/** Sends one request of an Azure library and notes what became of it. */
export async function sendForAzure(
  http: Http,
  options: AzureHttpOptions,
  seen: AzureExchange,
  request: AzureRequest,
): Promise<HttpResponse> {
  try {
    const response = await http.send(toRequest(request, options));
    seen.response = response;
    return response;
  } catch (error) {
    seen.failure = error;
    throw error;
  }
}

function toRequest(request: AzureRequest, options: AzureHttpOptions): HttpRequest {
  const url = new URL(request.url);
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  // Entra reads `client-request-id` from either place, storage from its own header.
  if (url.searchParams.has('client-request-id')) url.searchParams.set('client-request-id', options.clientRequestId);
  headers['client-request-id'] = options.clientRequestId;
  headers['x-ms-client-request-id'] = options.clientRequestId;
  return {
    peer: options.peer,
    method: request.method as HttpRequest['method'],
    url: url.href,
    headers,
    allowedHosts: options.allowedHosts,
    ...(typeof request.body === 'string' ? { body: request.body } : {}),
    ...(options.alsoRetry ? { alsoRetry: options.alsoRetry } : {}),
  };
}
