import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import type { Answer, Call } from './call.ts';

/** A server behind a gateway: a process on loopback. */
export interface Upstream {
  send(call: Pick<Call, 'method' | 'target' | 'body'> & { readonly headers: OutgoingHttpHeaders }): Promise<Answer>;
  close(): void;
}

/** Headers that belong to one connection, or that the front writes itself. */
const connectionHeaders = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'proxy-connection',
  'te',
  'upgrade',
  'expect',
]);

/** Reaches a server on a loopback port. With `tls` its certificate is checked for `serverName`. */
export function createUpstream(
  port: number,
  tls?: { readonly authority: string; readonly serverName: string },
): Upstream {
  const agent = tls ? new Agent({ keepAlive: true, ca: tls.authority, servername: tls.serverName }) : undefined;
  return {
    send(call) {
      return new Promise((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port,
          method: call.method,
          path: call.target,
          headers: withoutConnectionHeaders(call.headers, call.body.length),
          ...(agent ? { agent } : {}),
        };
        const request = agent ? httpsRequest(options) : httpRequest(options);
        request.on('error', reject);
        request.on('response', (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const headers: Record<string, string | string[]> = {};
            for (const [name, value] of Object.entries(response.headers)) {
              const keep = !connectionHeaders.has(name) && name !== 'date';
              // A HEAD answer's length is a fact of its own; otherwise the front counts.
              const isLength = name === 'content-length' && call.method !== 'HEAD';
              if (value !== undefined && keep && !isLength) headers[name] = value;
            }
            resolve({ status: response.statusCode ?? 502, headers, body: Buffer.concat(chunks) });
          });
        });
        request.end(call.body);
      });
    },
    close() {
      agent?.destroy();
    },
  };
}

function withoutConnectionHeaders(headers: OutgoingHttpHeaders, bodyLength: number): OutgoingHttpHeaders {
  const kept: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (!connectionHeaders.has(name.toLowerCase()) && value !== undefined) kept[name] = value;
  }
  kept['content-length'] = bodyLength;
  return kept;
}
