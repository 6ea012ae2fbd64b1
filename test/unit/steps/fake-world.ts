import { cancellation } from '../../../src/io/cancellation.ts';
import type { Http, HttpRequest, HttpResponse } from '../../../src/io/http.ts';
import type { Files, Io } from '../../../src/io/io.ts';
import { FakeClock } from '../io/fake-clock.ts';
import type { Call } from './fake-pipeline.ts';

/** An answer of the fake servers; `attempts` is 1 unless given. */
export type Answer = Partial<HttpResponse> | Error;

/** Answers a request; `count` is its number, from 1. */
export type Responder = (request: HttpRequest, count: number) => Answer | Promise<Answer>;

/** A JSON answer. */
export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', ...headers },
});

/** The world without a network or a disk. Requests and file writes are noted among the calls. */
export class FakeWorld implements Io {
  readonly calls: Call[];
  readonly requests: HttpRequest[] = [];
  readonly controller = new AbortController();
  readonly clock: FakeClock;
  readonly stored = new Map<string, string>();
  respond: Responder;
  skew: number | undefined;
  date: Date | undefined;
  /** Called before a file is written; it may throw. */
  onWrite: (path: string, text: string) => void = () => undefined;
  readonly http: Http;
  readonly files: Files;
  #ids = 0;

  constructor(calls: Call[] = [], respond: Responder = () => ({ status: 404 })) {
    this.calls = calls;
    this.respond = respond;
    this.clock = new FakeClock('2026-03-01T12:00:00.500Z', this.controller.signal);
    this.http = {
      send: (request) => this.#send(request),
      skewSeconds: () => this.skew,
      serverDate: () => this.date,
    };
    this.files = {
      create: async (path, text) => this.#write('create', path, text),
      append: async (path, text) => this.#write('append', path, text),
      read: async (path) => {
        const text = this.stored.get(path);
        if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        return text;
      },
      join: (folder, name) => `${folder}/${name}`,
    };
  }

  get cancelled(): AbortSignal {
    return this.controller.signal;
  }

  uuid(): string {
    this.#ids += 1;
    return `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`;
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    this.calls.push(['request', request.method, request.url]);
    this.requests.push(request);
    const answer = await this.respond(request, this.requests.length);
    if (this.cancelled.aborted) throw cancellation();
    if (answer instanceof Error) throw answer;
    return { status: 200, headers: {}, body: '', attempts: 1, ...answer };
  }

  #write(kind: 'create' | 'append', path: string, text: string): void {
    this.onWrite(path, text);
    this.calls.push([kind, path, text]);
    const before = this.stored.get(path);
    if (kind === 'create' && before !== undefined) throw Object.assign(new Error('it exists'), { code: 'EEXIST' });
    this.stored.set(path, (before ?? '') + text);
  }
}

/** A JWT with these claims, signed by nobody. */
export function jwtOf(claims: unknown, signature = 'c2lnbmF0dXJl'): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.${signature}`;
}
