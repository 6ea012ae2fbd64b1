import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Answer, type Call, splitTarget } from './call.ts';
import type { KeyPair } from './certificates.ts';
import type { FaultBoard, FaultOutcome, ServerName } from './faults.ts';
import type { LabClock } from './lab-clock.ts';
import type { Observations } from './observations.ts';

/** What every front shares: time, faults and the record of the run. */
export interface LabBase {
  readonly clock: LabClock;
  readonly faults: FaultBoard;
  readonly observations: Observations;
  /** Local ports of connections that must reach the client as a reset; the proxy, which holds them, does that. */
  readonly resets: Set<number>;
}

/** Who answers a request, and under which name it is recorded and can be made to fail. */
export interface Route {
  readonly server: ServerName;
  answer(): Answer | Promise<Answer>;
}

/** A listening HTTPS server on loopback. */
export interface HttpsFront {
  readonly port: number;
  close(): Promise<void>;
}

/** The largest request body that is read; a larger one is answered with 413. */
const bodyLimitBytes = 64 * 1024 * 1024;

/** Starts a server that reads whole requests, applies faults, records, and answers with the lab's time in `Date`. */
export async function startHttpsFront(
  base: LabBase,
  certificate: KeyPair,
  route: (call: Call) => Route,
): Promise<HttpsFront> {
  const sockets = new Set<Socket>();
  const server = createServer({ cert: certificate.certificate, key: certificate.key }, (request, response) => {
    serve(base, route, request, response).catch(() => request.socket.destroy());
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function serve(
  base: LabBase,
  routeOf: (call: Call) => Route,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const call = toCall(request, body ?? Buffer.alloc(0));
  const route = routeOf(call);
  const seen = base.observations.begin(route.server, call, base.clock.isoTime());
  if (!body) return send(base, request, response, { status: 413 });
  const outcome = base.faults.judge(route.server, call);
  if (outcome === 'hang') return;
  if (outcome === 'reset') {
    base.resets.add(request.socket.remotePort ?? 0);
    request.socket.destroy();
    return;
  }
  const answer = await answerWith(outcome, route);
  seen.answered(answer.status);
  send(base, request, response, answer);
}

async function answerWith(outcome: Exclude<FaultOutcome, 'hang' | 'reset'>, route: Route): Promise<Answer> {
  if (outcome && 'status' in outcome) return outcome;
  if (outcome && 'certificate' in outcome) throw new Error('only the proxy can present another certificate');
  if (outcome && 'delayMilliseconds' in outcome) await delay(outcome.delayMilliseconds);
  const answer = await answerOrFailure(route);
  return outcome && 'alter' in outcome ? outcome.alter(answer) : answer;
}

async function answerOrFailure(route: Route): Promise<Answer> {
  try {
    return await route.answer();
  } catch (error) {
    // A defect of a stand-in must be visible in the test that meets it.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { status: 500, headers: { 'Content-Type': 'text/plain', 'X-Stand-In-Defect': 'true' }, body: text };
  }
}

function send(base: LabBase, request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.sendDate = false;
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  if (!response.hasHeader('date')) response.setHeader('Date', base.clock.httpDate());
  response.statusCode = answer.status;
  const body = Buffer.from(answer.body ?? '');
  const withoutBody = request.method === 'HEAD' || answer.status === 204 || answer.status === 304;
  if (!withoutBody) response.setHeader('Content-Length', body.length);
  response.end(withoutBody ? undefined : body);
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= bodyLimitBytes) chunks.push(chunk);
  }
  return length <= bodyLimitBytes ? Buffer.concat(chunks) : undefined;
}

function toCall(request: IncomingMessage, body: Buffer): Call {
  const target = request.url ?? '/';
  const host = (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '');
  return { method: request.method ?? 'GET', host, target, ...splitTarget(target), headers: request.headers, body };
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    // Not to keep a stopped lab's process alive.
    setTimeout(resolve, milliseconds).unref();
  });
}
