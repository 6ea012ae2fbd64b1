import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { type HttpRequest, type HttpResponse, limits } from '../../../src/io/http.ts';
import { retryAfterMilliseconds, withRetries } from '../../../src/io/retry.ts';
import { FakeClock } from './fake-clock.ts';
import { failureOf } from './outcome.ts';

const request: HttpRequest = { peer: 'a peer', method: 'GET', url: 'https://contoso.example/', allowedHosts: [] };
const answer = (status: number, headers: Record<string, string> = {}) => ({ status, headers, body: '' });
const failure = (
  code: 'NETWORK_TIMEOUT' | 'NETWORK_FAILED' | 'NETWORK_TLS' | 'PROXY_FAILED' | 'PROXY_REFUSED' | 'CANCELLED',
) => new ScopedTokenError(code, { happened: 'It failed.', next: 'Run again.' });

/** Answers one after the other; the last one stays. */
function world(results: (ReturnType<typeof answer> | Error)[], milliseconds = 0) {
  const clock = new FakeClock();
  let calls = 0;
  const attempt = async () => {
    const result = results[Math.min(calls, results.length - 1)];
    calls += 1;
    clock.advance(milliseconds);
    if (result instanceof Error || result === undefined) throw result;
    return result;
  };
  return {
    clock,
    calls: () => calls,
    send: (more: Partial<HttpRequest> = {}) => withRetries({ ...request, ...more }, clock, attempt),
  };
}

describe('retries', () => {
  it('repeat what can heal, and count', async () => {
    for (const bad of [
      answer(408),
      answer(429),
      answer(500),
      answer(503),
      failure('NETWORK_TIMEOUT'),
      failure('NETWORK_FAILED'),
      failure('PROXY_FAILED'),
    ]) {
      const { send, clock } = world([bad, bad, answer(200)]);
      assert.deepEqual(await send(), { ...answer(200), attempts: 3 });
      assert.equal(clock.slept.length, 2);
    }
  });

  it('repeat nothing else', async () => {
    for (const status of [200, 201, 204, 301, 302, 400, 401, 403, 404, 407, 409]) {
      const { send, calls } = world([answer(status)]);
      assert.equal((await send()).attempts, 1);
      assert.equal(calls(), 1, String(status));
    }
    for (const code of ['NETWORK_TLS', 'PROXY_REFUSED', 'CANCELLED'] as const) {
      const { send, calls } = world([failure(code)]);
      await failureOf(send(), code);
      assert.equal(calls(), 1, code);
    }
    const { send, calls } = world([new TypeError('a bug')]);
    await assert.rejects(send(), { name: 'TypeError' });
    assert.equal(calls(), 1);
  });

  it('repeat what the request names', async () => {
    const alsoRetry = (response: HttpResponse) => response.status === 400 && response.attempts < 2;
    const { send, calls } = world([answer(400)]);
    assert.equal((await send({ alsoRetry })).status, 400);
    assert.equal(calls(), 2);
  });

  it('end after four requests, with the last answer or failure', async () => {
    const outage = world([answer(503)]);
    assert.deepEqual(await outage.send(), { ...answer(503), attempts: limits.attempts });
    const reset = world([failure('NETWORK_FAILED')]);
    await failureOf(reset.send(), 'NETWORK_FAILED');
    assert.equal(reset.calls(), limits.attempts);
    assert.equal(reset.clock.slept.length, limits.attempts - 1);
  });

  it('wait longer each time, with some chance in it', async () => {
    const { send, clock } = world([answer(503)]);
    await send();
    clock.slept.forEach((milliseconds, index) => {
      const middle = limits.firstDelayMilliseconds * 2 ** index;
      assert.ok(milliseconds >= middle * 0.8 && milliseconds <= middle * 1.2, String(milliseconds));
    });
  });

  it('are bounded in total time', async () => {
    const slow = world([failure('NETWORK_TIMEOUT')], 20_000);
    await failureOf(slow.send(), 'NETWORK_TIMEOUT');
    assert.equal(slow.calls(), 3, 'after 3 × 20 s there is no time for another');
    const asked = world([answer(429, { 'retry-after': '30' })]);
    assert.equal((await asked.send()).status, 429);
    assert.deepEqual(asked.clock.slept, [30_000], 'a second wait of 30 s would be too long');
  });

  it('give up at once where Retry-After does not fit', async () => {
    for (const wait of ['45', '3600', '999999']) {
      const { send, clock } = world([answer(429, { 'retry-after': wait })]);
      assert.deepEqual(await send(), { ...answer(429, { 'retry-after': wait }), attempts: 1 });
      assert.deepEqual(clock.slept, []);
    }
  });

  it('do not mind when the wall clock is set meanwhile', async () => {
    const { send, clock, calls } = world([answer(503)]);
    clock.onSleep = () => clock.set('2031-01-01T00:00:00Z');
    await send();
    assert.equal(calls(), limits.attempts);
  });

  it('end when the step is cancelled during a wait', async () => {
    const controller = new AbortController();
    const clock = new FakeClock('2026-03-01T12:00:00Z', controller.signal);
    clock.onSleep = () => controller.abort();
    let calls = 0;
    const attempt = async () => {
      calls += 1;
      return answer(503);
    };
    await failureOf(withRetries(request, clock, attempt), 'CANCELLED');
    assert.equal(calls, 1);
  });
});

describe('Retry-After', () => {
  const clock = new FakeClock('2026-03-01T12:00:00Z');
  const date = (text: string) => new Date(text).toUTCString();

  it('is a number of seconds', () => {
    assert.equal(retryAfterMilliseconds('0', undefined, clock), 0);
    assert.equal(retryAfterMilliseconds(' 120 ', undefined, clock), 120_000);
    assert.equal(retryAfterMilliseconds(undefined, undefined, clock), undefined);
  });

  it('is a date, compared with the server clock', () => {
    const until = date('2026-03-01T15:00:10Z');
    assert.equal(
      retryAfterMilliseconds(until, date('2026-03-01T15:00:00Z'), clock),
      10_000,
      'agent three hours behind',
    );
    const before = date('2026-03-01T09:00:10Z');
    assert.equal(
      retryAfterMilliseconds(before, date('2026-03-01T09:00:00Z'), clock),
      10_000,
      'agent three hours ahead',
    );
  });

  it('is compared with the agent clock where the server says no date', () => {
    assert.equal(retryAfterMilliseconds(date('2026-03-01T12:00:07Z'), undefined, clock), 7_000);
    assert.equal(retryAfterMilliseconds(date('2026-03-01T12:00:07Z'), 'no date', clock), 7_000);
    assert.equal(retryAfterMilliseconds(date('2026-03-01T11:59:00Z'), undefined, clock), 0, 'never negative');
  });

  it('is ignored where it is neither', () => {
    for (const text of ['', 'soon', '1234567', 'NaN', '5 s']) {
      assert.equal(retryAfterMilliseconds(text, undefined, clock), undefined, text);
    }
  });

  it('is ignored where it is a number but no whole one', () => {
    for (const text of ['-5', '1.5', '+5', '0x10', '1e3']) {
      assert.equal(retryAfterMilliseconds(text, undefined, clock), undefined, text);
    }
  });
});
