import {
  type CompatResponse,
  type RequestPolicy,
  toHttpHeadersLike,
  type WebResourceLike,
} from '@azure/core-http-compat';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import { type AzureExchange, type AzureHttpOptions, sendForAzure } from './azure-http-client.ts';
import type { Http } from './http.ts';

/** The same for the storage libraries, which still take a client of the older shape. */
export function azureStorageHttpClient(http: Http, options: AzureHttpOptions, seen: AzureExchange): RequestPolicy {
  return {
    async sendRequest(request: WebResourceLike): Promise<CompatResponse> {
      const { url, method, body } = request;
      const response = await sendForAzure(http, options, seen, {
        url,
        method,
        headers: request.headers.toJson(),
        body,
      });
      const headers = toHttpHeadersLike(createHttpHeaders({ ...response.headers }));
      return { request, status: response.status, headers, bodyAsText: response.body };
    },
  };
}
