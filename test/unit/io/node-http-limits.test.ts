import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { limits } from '../../../src/io/http.ts';
import { HeldTimeouts } from './held-timeouts.ts';
import { failureOf } from './outcome.ts';
import { ok, useTransport } from './transport.ts';

describe('http that does not go well', () => {
  const transport = useTransport();

  it('retries outages and resets, and says how often it asked', async () => {
    const { http, request, clock } = await transport.world((incoming, response, count) => {
      if (count === 1) response.writeHead(503).end();
      else if (count === 2) incoming.socket.destroy();
      else response.end('well again');
    });
    assert.deepEqual(await http.send(request).then(({ body, attempts }) => ({ body, attempts })), {
      body: 'well again',
      attempts: 3,
    });
    assert.equal(clock.slept.length, 2);
  });

  it('waits as Retry-After asks, by the server clock', async () => {
    const { http, request, clock } = await transport.world((_incoming, response, count) => {
      const date = 'Sun, 01 Mar 2026 17:00:00 GMT';
      if (count === 1) response.writeHead(429, { date, 'retry-after': 'Sun, 01 Mar 2026 17:00:09 GMT' }).end();
      else if (count === 2) response.writeHead(429, { date, 'retry-after': '4' }).end();
      else response.end();
    });
    assert.equal((await http.send(request)).status, 200);
    assert.deepEqual(clock.slept, [9_000, 4_000]);
  });

  it('takes a body that is as long as the cap, and refuses a longer one', async () => {
    const { http, request, server } = await transport.world((incoming, response) => {
      response.end(Buffer.alloc(limits.bodyBytes + (incoming.url === '/long' ? 1 : 0), 'a'));
    });
    assert.equal((await http.send(request)).body.length, limits.bodyBytes);
    const error = await failureOf(http.send({ ...request, url: `${request.url}long` }), 'TARGET_BAD_ANSWER');
    assert.match(error.message, /the test server answered with more than 1048576 bytes/);
    assert.equal(server.count(), 2, 'not retried');
  });

  it('refuses an endless body while it is still coming', async () => {
    const { http, request } = await transport.world((_incoming, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'a')));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await failureOf(http.send(request), 'TARGET_BAD_ANSWER');
  });

  it('takes a truncated body as a broken connection, never as an answer', async () => {
    const { http, request, server } = await transport.world((_incoming, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"access_token":"abc');
      setImmediate(() => response.destroy());
    });
    const error = await failureOf(http.send(request), 'NETWORK_FAILED');
    assert.match(error.message, /ECONNRESET/);
    assert.equal(server.count(), limits.attempts);
  });

  it('ends at once when the step is cancelled before, during the wait for an answer, or in the middle of it', async () => {
    for (const moment of ['before', 'waiting', 'reading'] as const) {
      const controller = new AbortController();
      const { http, request, server } = await transport.world(
        (_incoming, response) => {
          if (moment === 'reading') response.write('half');
          setImmediate(() => controller.abort());
        },
        { cancelled: controller.signal },
      );
      if (moment === 'before') controller.abort();
      await failureOf(http.send(request), 'CANCELLED');
      assert.equal(server.count(), moment === 'before' ? 0 : 1);
    }
  });

  it('leaves no listener on the signal', async () => {
    const controller = new AbortController();
    const { http, request } = await transport.world(ok, { cancelled: controller.signal });
    let listeners = 0;
    const { addEventListener, removeEventListener } = controller.signal;
    controller.signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      listeners += 1;
      addEventListener.apply(controller.signal, args);
    };
    controller.signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
      listeners -= 1;
      removeEventListener.apply(controller.signal, args);
    };
    for (let count = 0; count < 3; count += 1) await http.send(request);
    assert.equal(listeners, 0);
  });

  it('gives up on a server that takes the request and never answers', async () => {
    const timeouts = new HeldTimeouts();
    try {
      const requests = new EventEmitter();
      const { http, request, server } = await transport.world(() => requests.emit('arrived'));
      let next = once(requests, 'arrived');
      const failed = failureOf(http.send(request), 'NETWORK_TIMEOUT');
      for (let count = 1; count <= limits.attempts; count += 1) {
        await next;
        next = once(requests, 'arrived');
        timeouts.pass(limits.attemptMilliseconds - 1);
        assert.equal(timeouts.count, 1, 'still waiting');
        assert.equal(server.count(), count);
        timeouts.pass(1);
      }
      assert.match((await failed).message, /No answer from the test server \(localhost\) within 10 s/);
      assert.equal(timeouts.count, 0);
    } finally {
      timeouts.restore();
    }
  });

  it('says that nothing listens there', async () => {
    const { http, request, server } = await transport.world(ok);
    await server.stop();
    const error = await failureOf(http.send(request), 'NETWORK_FAILED');
    assert.match(error.message, /ECONNREFUSED/);
  });
});
