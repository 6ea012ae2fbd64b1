import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { limits } from '../../../src/io/http.ts';
import type { NetworkSettings } from '../../../src/io/routes.ts';
import { Secret } from '../../../src/token/secret.ts';
import { HeldTimeouts } from './held-timeouts.ts';
import { connectProxy, serverName } from './loopback.ts';
import { failureOf } from './outcome.ts';
import { ok, useTransport } from './transport.ts';

const host = 'tunnelled.contoso.example';

describe('the way through a proxy', () => {
  const transport = useTransport();
  const request = { peer: 'the test server', method: 'GET', url: `https://${host}/`, allowedHosts: [host] } as const;

  /** A world behind a proxy that answers so; by default it lets everything through. */
  async function behind(answer?: Parameters<typeof connectProxy>[0], settings: Partial<NetworkSettings> = {}) {
    let port = 0;
    const proxy = transport.stopLater(await connectProxy(answer ?? (() => port)));
    const address = `http://127.0.0.1:${proxy.port}`;
    const world = await transport.world(ok, { settings: { proxyUrl: address, ...settings } });
    port = world.server.port;
    return { ...world, proxy, address };
  }

  it('is a tunnel to a name that the agent need not resolve', async () => {
    const { http, proxy } = await behind();
    assert.equal((await http.send(request)).body, 'ok');
    assert.deepEqual(proxy.asked, [{ target: `${host}:443`, authorization: undefined }]);
  });

  it('is used again while it is open', async () => {
    const { http, proxy, server } = await behind();
    await http.send(request);
    await http.send(request);
    assert.equal(server.count(), 2);
    assert.equal(proxy.count(), 1);
  });

  it('carries any user name and password as they are', async () => {
    const rows = [
      ['svc', 'plain'],
      ['CORP\\svc', 'p@ss:w/rd?#%25 "\'\\'],
      ['ü', '日本🦊'],
      ['a%40b', '%zz%'],
      ['user', ''],
      ['', 'password only'],
      ['svc', 'x'.repeat(2_000)],
    ] as const;
    for (const [user, password] of rows) {
      const { http, proxy } = await behind(undefined, { proxyUsername: user, proxyPassword: new Secret(password) });
      await http.send(request);
      const expected = `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
      assert.equal(proxy.asked[0]?.authorization, expected, user);
    }
  });

  it('takes user and password from the address where the agent gave none beside it', async () => {
    const proxy = transport.stopLater(await connectProxy(() => 'HTTP/1.1 403 No\r\n\r\n'));
    const encoded = `http://corp%5Csvc:p%40ss%3A%25@127.0.0.1:${proxy.port}`;
    const { http } = await transport.world(ok, { settings: { proxyUrl: encoded } });
    const error = await failureOf(http.send(request), 'PROXY_REFUSED');
    assert.equal(proxy.asked[0]?.authorization, `Basic ${Buffer.from('corp\\svc:p@ss:%').toString('base64')}`);
    assert.doesNotMatch(error.message, /corp|p%40ss|p@ss/);
  });

  it('takes a password with a bare % from the address as it is', async () => {
    const proxy = transport.stopLater(await connectProxy(() => 'HTTP/1.1 403 No\r\n\r\n'));
    const { http } = await transport.world(ok, { settings: { proxyUrl: `http://svc:100%@127.0.0.1:${proxy.port}` } });
    await failureOf(http.send(request), 'PROXY_REFUSED');
    assert.equal(proxy.asked[0]?.authorization, `Basic ${Buffer.from('svc:100%').toString('base64')}`);
  });

  it('says that the address of the proxy is no address', async () => {
    for (const proxyUrl of ['not a URL', 'proxy.contoso.example:8080', 'socks5://svc:hunter2@proxy.contoso.example']) {
      const { http, clock } = await transport.world(ok, { settings: { proxyUrl } });
      const error = await failureOf(http.send(request), 'PROXY_FAILED');
      assert.match(error.message, /is no http or https URL/);
      assert.doesNotMatch(error.message, /hunter2/);
      assert.deepEqual(clock.slept, [], 'waiting does not mend it');
    }
  });

  it('asks for other credentials where the proxy answers 407, without retry and without saying which it had', async () => {
    const settings = { proxyUsername: 'CORP\\svc', proxyPassword: new Secret('hunter2-hunter2') };
    const { http, proxy, clock, server } = await behind(
      () => 'HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\n\r\n',
      settings,
    );
    const error = await failureOf(http.send(request), 'PROXY_AUTHENTICATION');
    assert.ok(error.message.includes(`127.0.0.1:${proxy.port}`));
    const base64 = Buffer.from('CORP\\svc:hunter2-hunter2').toString('base64');
    for (const text of [error.message, String(error.stack), JSON.stringify(error)]) {
      assert.ok(!text.includes('hunter2') && !text.includes(base64));
    }
    assert.deepEqual([proxy.count(), server.count(), clock.slept.length], [1, 0, 0]);
  });

  it('names the refusal where the proxy does not let the host through', async () => {
    for (const status of [403, 502, 302]) {
      const { http, proxy } = await behind(() => `HTTP/1.1 ${status} No\r\nContent-Length: 3\r\n\r\n<p>`);
      const error = await failureOf(http.send(request), 'PROXY_REFUSED');
      assert.match(
        error.message,
        new RegExp(`${status < 500 ? 'refused to connect to' : 'could not reach'} ${host}.*status ${status}`),
      );
      assert.equal(proxy.count(), 1);
    }
  });

  it('blames the proxy where it cannot be reached', async () => {
    const { http, proxy } = await behind();
    await proxy.stop();
    const error = await failureOf(http.send(request), 'PROXY_FAILED');
    assert.match(error.message, /could not be reached[\s\S]*ECONNREFUSED/);
  });

  it('blames the proxy where it takes the connection and drops it', async () => {
    const { http, proxy } = await behind((_asked, socket) => void socket.end());
    const error = await failureOf(http.send(request), 'PROXY_FAILED');
    assert.ok(error.message.includes(`127.0.0.1:${proxy.port}`), error.message);
    assert.doesNotMatch(error.message, /unknown error/);
  });

  it('never takes for an answer what a dropped tunnel leaves', async () => {
    const { http, proxy } = await behind((_asked, socket) => {
      socket.end('HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      return undefined;
    });
    await assert.rejects(http.send(request), { name: 'ScopedTokenError' });
    assert.ok(proxy.count() >= 1);
  });

  it('gives up on a proxy that never answers, and says that one was used', async () => {
    const timeouts = new HeldTimeouts();
    try {
      const asked = new EventEmitter();
      const { http, proxy } = await behind(() => void asked.emit('asked'));
      let next = once(asked, 'asked');
      const failed = failureOf(http.send(request), 'NETWORK_TIMEOUT');
      for (let count = 1; count <= limits.attempts; count += 1) {
        await next;
        next = once(asked, 'asked');
        timeouts.pass(limits.attemptMilliseconds);
      }
      assert.ok((await failed).message.includes(`through the proxy 127.0.0.1:${proxy.port}`));
    } finally {
      timeouts.restore();
    }
  });

  it('ends at once when the step is cancelled while the proxy is asked', async () => {
    const controller = new AbortController();
    const proxy = transport.stopLater(await connectProxy(() => void setImmediate(() => controller.abort())));
    const settings = { proxyUrl: `http://127.0.0.1:${proxy.port}` };
    const { http } = await transport.world(ok, { settings, cancelled: controller.signal });
    await failureOf(http.send(request), 'CANCELLED');
  });

  it('does not make the server behind it trusted', async () => {
    let port = 0;
    const proxy = transport.stopLater(await connectProxy(() => port));
    const settings = { proxyUrl: `http://127.0.0.1:${proxy.port}` };
    const world = await transport.world(ok, { settings, pair: transport.certificates().untrusted });
    port = world.server.port;
    await failureOf(world.http.send(request), 'NETWORK_TLS');
    assert.equal(world.server.count(), 0);
  });

  describe('is not taken', () => {
    const bypass = (list: string) => behind(undefined, { proxyBypassList: list });

    it('where a pattern of the bypass list matches the address, without regard to case', async () => {
      for (const list of ['["LOCALHOST"]', '["nothing","^https://localhost:\\\\d+/$"]']) {
        const { http, request: direct, proxy, warnings } = await bypass(list);
        assert.equal((await http.send(direct)).body, 'ok');
        assert.equal(proxy.count(), 0, list);
        assert.deepEqual(warnings, []);
      }
    });

    it('but is, where none does', async () => {
      for (const list of ['["contoso\\\\.com$"]', '[]', '']) {
        const { http, proxy, warnings } = await bypass(list);
        await http.send(request);
        assert.equal(proxy.count(), 1, list);
        assert.deepEqual(warnings, []);
      }
    });

    it('but is, with one warning, where the list is broken', async () => {
      for (const list of ['not json', '{}', '"localhost"', '[1]', 'null', '["a", null]']) {
        const { http, proxy, warnings } = await bypass(list);
        await http.send(request);
        await http.send(request);
        assert.equal(proxy.count(), 1, list);
        assert.equal(warnings.length, 1, list);
        assert.match(warnings[0] ?? '', /is not a JSON array/);
      }
    });

    it('but is, with one warning a pattern, where a pattern is broken or never ends', async () => {
      for (const pattern of ['(', '^(.+)+!$', '^(https://([a-z.]|[a-z./]+)+)+!$']) {
        const { http, proxy, warnings } = await bypass(JSON.stringify([pattern]));
        const long = { ...request, url: `https://${host}/${'a'.repeat(60)}` };
        await http.send(long);
        await http.send(long);
        assert.equal(proxy.count(), 1, pattern);
        assert.equal(warnings.length, 1, pattern);
        assert.ok(warnings[0]?.includes(JSON.stringify(pattern)));
      }
    });

    it('where a good pattern stands before a broken one', async () => {
      const { http, request: direct, proxy } = await bypass('["localhost","("]');
      await http.send(direct);
      assert.equal(proxy.count(), 0);
    });

    it('where a good pattern stands after a broken one', async () => {
      const { http, request: direct, proxy } = await bypass('["(","localhost"]');
      assert.equal((await http.send({ ...direct, allowedHosts: [serverName] })).body, 'ok');
      assert.equal(proxy.count(), 0);
    });
  });
});
