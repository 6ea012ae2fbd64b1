import assert from 'node:assert/strict';
import { httpServer, serverName } from './loopback.ts';
import { failureOf } from './outcome.ts';
import { ok, useTransport } from './transport.ts';

describe('http over loopback', () => {
  const transport = useTransport();

  it('sends method, headers and body, and reads the answer whole', async () => {
    const body = 'grant=ü🦊&x=1';
    const { http, request } = await transport.world((incoming, response) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      incoming.on('end', () => {
        response.writeHead(201, { 'X-One': 'a', 'Set-Cookie': ['a=1', 'b=2'], 'Content-Type': 'text/plain' });
        const { headers, method, url } = incoming;
        response.write(
          JSON.stringify({ method, url, text, length: headers['content-length'], agent: headers['user-agent'] }),
        );
        setImmediate(() => response.end(`|${headers['x-mine']}`));
      });
    });
    const answer = await http.send({
      ...request,
      method: 'POST',
      url: `${request.url}a%20b?c=d%2Fe`,
      headers: { 'x-mine': 'yes' },
      body,
    });
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['x-one'], 'a');
    assert.equal(answer.headers['set-cookie'], 'a=1, b=2');
    const [json = '', mine] = answer.body.split('|');
    const seen = {
      method: 'POST',
      url: '/a%20b?c=d%2Fe',
      text: body,
      length: String(Buffer.byteLength(body)),
      agent: 'scoped-token',
    };
    assert.deepEqual(JSON.parse(json), seen);
    assert.equal(mine, 'yes');
    assert.equal(answer.attempts, 1);
  });

  it('does not follow redirects', async () => {
    const { http, request, server } = await transport.world((_incoming, response) => {
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    const answer = await http.send(request);
    assert.equal(answer.status, 302);
    assert.equal(answer.headers['location'], '/elsewhere');
    assert.equal(server.count(), 1);
  });

  it('refuses a host that is not allowed before anything is sent', async () => {
    const { http, request, server } = await transport.world(ok);
    const urls = [
      request.url.replace(serverName, '127.0.0.1'),
      `https://${serverName}@evil.example/`,
      `https://${serverName}.evil.example/`,
      `https://evil.example/?${serverName}`,
      request.url.replace('https:', 'http:'),
      'file:///etc/passwd',
      'ftp://localhost/',
    ];
    for (const url of urls) {
      const error = await failureOf(http.send({ ...request, url }), 'HOST_NOT_ALLOWED');
      assert.match(error.message, /Credentials leave only for localhost, by https/);
    }
    const suffixed = await failureOf(http.send({ ...request, allowedHosts: ['.azurecr.io'] }), 'HOST_NOT_ALLOWED');
    assert.match(suffixed.message, /\*\.azurecr\.io/);
    assert.equal(server.count(), 0);
  });

  it('says nothing of what stands in the refused address', async () => {
    const { http, request } = await transport.world(ok);
    const url = 'https://user:hunter2@evil.example/path-of-secret?sig=c2lnbmF0dXJl#frag';
    const error = await failureOf(http.send({ ...request, url }), 'HOST_NOT_ALLOWED');
    assert.doesNotMatch(error.message, /hunter2|user|path-of-secret|c2lnbmF0dXJl|frag/);
  });

  it('reads an international host as the name that is looked up', async () => {
    const { http, request } = await transport.world(ok);
    const fullWidth = request.url.replace(serverName, 'ｌｏｃａｌｈｏｓｔ');
    assert.equal((await http.send({ ...request, url: fullWidth })).body, 'ok');
    const lookalike = request.url.replace(serverName, 'lосаlhost');
    const error = await failureOf(http.send({ ...request, url: lookalike }), 'HOST_NOT_ALLOWED');
    assert.match(error.message, /xn--/);
  });

  it('takes plain http only where it is meant', async () => {
    const plain = await httpServer(ok);
    transport.stopLater(plain);
    const { http, request } = await transport.world(ok);
    const url = `http://${serverName}:${plain.port}/`;
    await failureOf(http.send({ ...request, url }), 'HOST_NOT_ALLOWED');
    await failureOf(http.send({ ...request, url, plainHttp: false }), 'HOST_NOT_ALLOWED');
    await failureOf(
      http.send({ ...request, url, plainHttp: true, allowedHosts: ['other.example'] }),
      'HOST_NOT_ALLOWED',
    );
    assert.equal(plain.count(), 0);
    assert.equal((await http.send({ ...request, url, plainHttp: true })).body, 'ok');
    assert.equal((await http.send({ ...request, plainHttp: true })).body, 'ok', 'https stays possible');
  });

  it('knows the server clock and its distance from the newest answer', async () => {
    const { http, request } = await transport.world((_incoming, response, count) => {
      const dates = ['Sun, 01 Mar 2026 11:55:00 GMT', 'Sun, 01 Mar 2026 12:02:05 GMT', 'no date'];
      response.writeHead(200, { date: dates[count - 1] }).end();
    });
    assert.equal(http.skewSeconds(), undefined);
    assert.equal(http.serverDate(), undefined);
    await http.send(request);
    assert.equal(http.skewSeconds(), 300);
    await http.send(request);
    assert.equal(http.skewSeconds(), -125);
    await http.send(request);
    assert.equal(http.skewSeconds(), -125, 'an answer without a date changes nothing');
    assert.equal(http.serverDate()?.toISOString(), '2026-03-01T12:02:05.000Z');
  });
});
