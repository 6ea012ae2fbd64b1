import { once } from 'node:events';
import { createServer, type IncomingMessage, STATUS_CODES } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Answer, Call } from './call.ts';
import type { KeyPair, LabCertificates } from './certificates.ts';
import { type BadCertificate, cannedAnswers, type FaultOutcome } from './faults.ts';
import { type HttpsFront, type LabBase, startHttpsFront } from './https-front.ts';

/** The way into the lab: a CONNECT proxy that maps production host names to loopback ports. */
export interface ConnectProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Address with the credentials in it, percent-encoded, as `HTTPS_PROXY` wants it. */
  readonly urlWithCredentials: string;
  /** Maps a host, or all hosts that end with a suffix (`*.example.com`), to a loopback port. */
  map(hostPattern: string, port: number): void;
  close(): Promise<void>;
}

/** User and password hold characters that break naive quoting on purpose. */
export const proxyUsername = 'corp\\svc';
export const proxyPassword = 'p@ss:w/ord#%';

/** Starts the proxy. Unmapped hosts and ports other than 443 get 403 and are recorded as refused. */
export async function startConnectProxy(base: LabBase, certificates: LabCertificates): Promise<ConnectProxy> {
  const tunnel = new Tunnels(base, certificates);
  // A plain request (not CONNECT) is a client that would speak without TLS.
  const server = createServer((request, response) => {
    base.observations.refusedHost(hostOfUrl(request.url ?? ''));
    response.writeHead(403).end();
  });
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => tunnel.open(request, socket, head));
  server.on('connection', (socket: Socket) => tunnel.keep(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const credentials = `${encodeURIComponent(proxyUsername)}:${encodeURIComponent(proxyPassword)}`;
  base.observations.secret('proxyPassword', proxyPassword);
  base.observations.secret('proxyCredential', proxyCredential());
  return {
    url: `http://127.0.0.1:${port}`,
    username: proxyUsername,
    password: proxyPassword,
    urlWithCredentials: `http://${credentials}@127.0.0.1:${port}`,
    map: (pattern, to) => tunnel.map(pattern, to),
    async close() {
      const closed = once(server, 'close');
      server.close();
      await tunnel.close();
      await closed;
    },
  };
}

function proxyCredential(): string {
  return Buffer.from(`${proxyUsername}:${proxyPassword}`).toString('base64');
}

class Tunnels {
  readonly #base: LabBase;
  readonly #certificates: LabCertificates;
  readonly #ports = new Map<string, number>();
  readonly #sockets = new Set<Duplex>();
  readonly #badFronts = new Map<BadCertificate, Promise<HttpsFront>>();

  constructor(base: LabBase, certificates: LabCertificates) {
    this.#base = base;
    this.#certificates = certificates;
  }

  map(pattern: string, port: number): void {
    this.#ports.set(pattern.toLowerCase(), port);
  }

  keep(socket: Duplex): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  open(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const call = toCall(request);
    const seen = this.#base.observations.begin('proxy', call, this.#base.clock.isoTime());
    const refuse = (answer: Answer): void => {
      seen.answered(answer.status);
      socket.end(statusText(answer, this.#base.clock.httpDate()));
    };
    const proceed = (port: number): void => {
      seen.answered(200);
      this.#join(socket, head, port);
    };
    const outcome = this.#base.faults.judge('proxy', call);
    if (outcome === 'hang') return;
    if (outcome === 'reset') {
      resetSocket(socket);
      return;
    }
    const port = this.#portOf(request.url ?? '');
    if (outcome && 'status' in outcome) refuse(outcome);
    else if (proxyAuthorization(request) !== `Basic ${proxyCredential()}`) {
      refuse(cannedAnswers.proxyAuthenticationRequired());
    } else if (port === undefined) {
      this.#base.observations.refusedHost(call.host);
      refuse({ status: 403, headers: { 'X-Egress': 'denied' } });
    } else this.#openLater(outcome, port, proceed);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const front of this.#badFronts.values()) await (await front).close();
  }

  /** Opens the tunnel at once, after a delay, or to a bad certificate. */
  #openLater(outcome: FaultOutcome, mapped: number, proceed: (port: number) => void): void {
    if (typeof outcome === 'object' && 'delayMilliseconds' in outcome) {
      setTimeout(() => proceed(mapped), outcome.delayMilliseconds).unref();
    } else if (typeof outcome === 'object' && 'certificate' in outcome) {
      this.#badFront(outcome.certificate).then((front) => proceed(front.port));
    } else proceed(mapped);
  }

  #portOf(authority: string): number | undefined {
    const [, name, port] = /^(.+):(\d+)$/.exec(authority.toLowerCase()) ?? [];
    if (name === undefined || port !== '443') return undefined;
    const exact = this.#ports.get(name);
    if (exact !== undefined) return exact;
    for (const [pattern, mapped] of this.#ports) {
      if (pattern.startsWith('*.') && name.endsWith(pattern.slice(1))) return mapped;
    }
    return undefined;
  }

  #join(client: Socket, head: Buffer, port: number): void {
    const upstream = connect(port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client, { end: false });
      client.pipe(upstream);
    });
    this.keep(upstream);
    upstream.on('end', () => this.#endClient(client, upstream.localPort));
    upstream.on('error', () => resetSocket(client));
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.end());
  }

  #endClient(client: Socket, localPort: number | undefined): void {
    if (localPort !== undefined && this.#base.resets.delete(localPort)) resetSocket(client);
    else client.end();
  }

  #badFront(kind: BadCertificate): Promise<HttpsFront> {
    let front = this.#badFronts.get(kind);
    if (!front) {
      const pair: KeyPair = this.#certificates[kind];
      front = startHttpsFront(this.#base, pair, () => ({
        server: 'proxy',
        answer: () => ({ status: 421, body: 'a client accepted a certificate that it must refuse' }),
      }));
      this.#badFronts.set(kind, front);
    }
    return front;
  }
}

function toCall(request: IncomingMessage): Call {
  return {
    method: 'CONNECT',
    host: (request.url ?? '').toLowerCase().replace(/:\d+$/, ''),
    path: '',
    query: new URLSearchParams(),
    target: request.url ?? '',
    headers: request.headers,
    body: Buffer.alloc(0),
  };
}

function proxyAuthorization(request: IncomingMessage): string | undefined {
  return request.headers['proxy-authorization'];
}

function hostOfUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}

function statusText(answer: Answer, date: string): string {
  const body = Buffer.from(answer.body ?? '').toString('latin1');
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? 'Unknown'}`, `Date: ${date}`];
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    for (const one of typeof value === 'string' ? [value] : value) lines.push(`${name}: ${one}`);
  }
  return `${[...lines, 'Connection: close', `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}

/** Sends a reset, where the end was not sent before: after it, Node 20 would never let go of the socket. */
function resetSocket(socket: Socket): void {
  if (socket.writableEnded || socket.destroyed) socket.destroy();
  else socket.resetAndDestroy();
}
