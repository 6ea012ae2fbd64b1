import type { IssuedSecret, SeenRequest } from '../agent/job-server.ts';
import { type Call, header } from './call.ts';
import type { ServerName } from './faults.ts';

/** A request that was seen; its status is 0 until it is answered, and stays 0 when it never is. */
export interface OpenRequest {
  answered(status: number): void;
}

/** What the servers saw and handed out during a run. Holds no query value and no body. */
export class Observations {
  readonly #requests: { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] }[] = [];
  readonly #secrets = new Map<string, IssuedSecret>();
  readonly #refusedHosts: string[] = [];

  /** Notes a request at its arrival. */
  begin(server: ServerName, call: Call, time: string): OpenRequest {
    const names = [...new Set(call.query.keys())];
    const entry = {
      time,
      server,
      method: call.method,
      host: call.host,
      path: names.length > 0 ? `${call.path}?${names.join('&')}` : call.path,
      status: 0,
      headers: headerFacts(call),
    };
    this.#requests.push(entry);
    return {
      answered(status) {
        entry.status = status;
      },
    };
  }

  /** Notes a secret that a server issued. */
  secret(kind: string, value: string): void {
    if (value.length > 0) this.#secrets.set(`${kind} ${value}`, { kind, value });
  }

  /** Notes a host that was asked for and is not served. */
  refusedHost(host: string): void {
    this.#refusedHosts.push(host);
  }

  requests(): readonly SeenRequest[] {
    return this.#requests.map((request) => ({ ...request }));
  }

  secrets(): readonly IssuedSecret[] {
    return [...this.#secrets.values()];
  }

  refusedHosts(): readonly string[] {
    return [...this.#refusedHosts];
  }

  /** Forgets requests and refused hosts; secrets stay, since they may still leak. */
  forgetRequests(): void {
    this.#requests.length = 0;
    this.#refusedHosts.length = 0;
  }
}

function headerFacts(call: Call): Record<string, string> {
  const facts: Record<string, string> = {};
  const authorization = header(call, call.method === 'CONNECT' ? 'proxy-authorization' : 'authorization');
  if (authorization) facts['authorizationScheme'] = authorization.split(' ', 1)[0] ?? '';
  const userAgent = header(call, 'user-agent');
  if (userAgent) facts['userAgent'] = userAgent;
  const clientRequestId = clientRequestIdOf(call);
  if (clientRequestId) facts['clientRequestId'] = clientRequestId;
  return facts;
}

/** The id that a client gave its request: Entra takes it as header or query parameter, Storage as `x-ms-` header. */
export function clientRequestIdOf(call: Call): string | undefined {
  return (
    header(call, 'client-request-id') ??
    call.query.get('client-request-id') ??
    header(call, 'x-ms-client-request-id') ??
    undefined
  );
}
