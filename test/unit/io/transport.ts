import type { Http, HttpRequest } from '../../../src/io/http.ts';
import { createHttp } from '../../../src/io/node-http.ts';
import type { NetworkSettings } from '../../../src/io/routes.ts';
import { FakeClock } from './fake-clock.ts';
import { certificatesInFolder, type Handler, httpsServer, type Loopback, serverName } from './loopback.ts';

/** A server, and the product's transport that trusts it. */
export interface TransportWorld {
  readonly server: Loopback;
  readonly clock: FakeClock;
  readonly http: Http;
  /** A GET of the server's root. */
  readonly request: HttpRequest;
  readonly warnings: readonly string[];
}

/** What a test may choose about its world. */
export interface WorldChoices {
  readonly cancelled?: AbortSignal;
  readonly settings?: Partial<NetworkSettings>;
  readonly pair?: { readonly certificate: string; readonly key: string };
}

/** Answers "ok" to everything. */
export const ok: Handler = (_request, response) => response.end('ok');

/** Registers hooks that make certificates and stop every server after its test; gives what the tests build on. */
export function useTransport() {
  const started: Loopback[] = [];
  let made: Awaited<ReturnType<typeof certificatesInFolder>> | undefined;
  before(async () => {
    made = await certificatesInFolder();
  });
  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
  });
  after(() => made?.remove());

  const certificates = () => {
    if (!made) throw new Error('the certificates are made before the first test');
    return made;
  };
  const stopLater = <T extends Loopback>(server: T): T => {
    started.push(server);
    return server;
  };
  return {
    certificates,
    /** Stops the server after the test. */
    stopLater,
    async world(handler: Handler, choices: WorldChoices = {}): Promise<TransportWorld> {
      const { cancelled = new AbortController().signal, settings, pair = certificates().server } = choices;
      const server = stopLater(await httpsServer(pair, handler));
      const clock = new FakeClock('2026-03-01T12:00:00Z', cancelled);
      const warnings: string[] = [];
      const all = {
        caFile: certificates().caFile,
        warn: (text: string) => void warnings.push(text),
        mask: () => undefined,
        ...settings,
      };
      const url = `https://${serverName}:${server.port}/`;
      const request = { peer: 'the test server', method: 'GET', url, allowedHosts: [serverName] } as const;
      return { server, clock, http: createHttp(all, clock, cancelled), request, warnings };
    },
  };
}
