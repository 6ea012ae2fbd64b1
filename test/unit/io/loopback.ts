import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates, type LabCertificates } from '../../servers/certificates.ts';

/** Name that the servers' certificates are for. */
export const serverName = 'localhost';

/** What a server does with one request. */
export type Handler = (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void;

/** A server on 127.0.0.1. `stop` ends its connections too. */
export interface Loopback {
  readonly port: number;
  /** How many requests, or connections, it has seen. */
  count(): number;
  stop(): Promise<void>;
}

/** A temporary folder with certificates for {@link serverName}. */
export async function certificatesInFolder(): Promise<LabCertificates & { remove(): Promise<void>; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'scoped-token-io-'));
  const certificates = await createCertificates(folder, [serverName, 'tunnelled.contoso.example']);
  return { ...certificates, folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** An https server with that certificate. */
export function httpsServer(pair: { certificate: string; key: string }, handler: Handler): Promise<Loopback> {
  let count = 0;
  const server = https.createServer({ cert: pair.certificate, key: pair.key }, (request, response) => {
    count += 1;
    handler(request, response, count);
  });
  // a client that does not trust the certificate ends the handshake
  server.on('tlsClientError', () => undefined);
  return listening(server, () => count);
}

/** A plain http server. */
export function httpServer(handler: Handler): Promise<Loopback> {
  let count = 0;
  const server = http.createServer((request, response) => {
    count += 1;
    handler(request, response, count);
  });
  return listening(server, () => count);
}

/** A server of bare connections. */
export function socketServer(handler: (socket: Socket, count: number) => void): Promise<Loopback> {
  let count = 0;
  const server = net.createServer((socket) => {
    count += 1;
    handler(socket, count);
  });
  return listening(server, () => count);
}

/** What a CONNECT proxy was asked. */
export interface ConnectRequest {
  readonly target: string;
  readonly authorization: string | undefined;
}

/**
 * A CONNECT proxy that answers what `answer` gives, or lets through to the port that it gives; it keeps what it was asked.
 */
export async function connectProxy(
  answer: (request: ConnectRequest, socket: Socket) => number | string | undefined,
): Promise<Loopback & { readonly asked: readonly ConnectRequest[] }> {
  const asked: ConnectRequest[] = [];
  const server = http.createServer((_request, response) => response.writeHead(400).end());
  server.on('connect', (request: http.IncomingMessage, client: Socket) => {
    client.on('error', () => undefined);
    const asking = { target: request.url ?? '', authorization: request.headers['proxy-authorization'] };
    asked.push(asking);
    const result = answer(asking, client);
    if (typeof result === 'string') client.end(result);
    if (typeof result === 'number') tunnel(client, result);
  });
  return { ...(await listening(server, () => asked.length)), asked };
}

function tunnel(client: Socket, port: number): void {
  const upstream = net.connect(port, '127.0.0.1', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    client.pipe(upstream).pipe(client);
  });
  upstream.on('error', () => client.destroy());
  client.on('close', () => upstream.destroy());
}

async function listening(server: net.Server, count: () => number): Promise<Loopback> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => undefined).on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of open) socket.destroy();
    await closed;
  };
  return { port, count, stop };
}
