import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChild } from './child.ts';
import { failureOf } from './outcome.ts';
import { ok, useTransport } from './transport.ts';

/** What a process of its own gets from each address: a status, or the code of the failure. */
async function sentFromChild(urls: readonly string[], caFile: string, extraCaFile?: string): Promise<string[]> {
  const script = `import { createHttp } from './src/io/node-http.ts';
    const clock = { now: () => new Date(), monotonicMilliseconds: () => 0, sleep: async () => undefined };
    const settings = { caFile: ${JSON.stringify(caFile)}, warn: () => undefined, mask: () => undefined };
    const http = createHttp(settings, clock, new AbortController().signal);
    for (const url of ${JSON.stringify(urls)}) {
      const request = { peer: 'the test server', method: 'GET', url, allowedHosts: ['localhost'] };
      await http.send(request).then((answer) => console.log(answer.status), (error) => console.log(error.code));
    }
    process.exit(0);`;
  const environment = extraCaFile ? { NODE_EXTRA_CA_CERTS: extraCaFile } : {};
  const { stdout } = await runChild(script, { environment });
  return stdout.trim().split('\n');
}

describe('whom http trusts', () => {
  const transport = useTransport();

  it('is the authority that the agent was given', async () => {
    const { http, request } = await transport.world(ok);
    assert.equal((await http.send(request)).body, 'ok');
  });

  it('is nobody unknown, at a wrong name, or out of date; and that is not tried again', async () => {
    const { untrusted, wrongName, expired } = transport.certificates();
    const rows = [
      [untrusted, /UNABLE_TO_VERIFY_LEAF_SIGNATURE/],
      [wrongName, /ERR_TLS_CERT_ALTNAME_INVALID/],
      [expired, /CERT_HAS_EXPIRED/],
    ] as const;
    for (const [pair, code] of rows) {
      const { http, request, clock } = await transport.world(ok, { pair });
      const error = await failureOf(http.send(request), 'NETWORK_TLS');
      assert.match(error.message, code);
      assert.deepEqual(clock.slept, []);
    }
  });

  it('is not the test authority without a file', async () => {
    const { http, request, server } = await transport.world(ok, { settings: { caFile: '' } });
    await failureOf(http.send(request), 'NETWORK_TLS');
    assert.equal(server.count(), 0);
  });

  it('is what the administrator gave in NODE_EXTRA_CA_CERTS, and the agent file beside it', async () => {
    const { caFile, unrelatedCaFile, untrusted } = transport.certificates();
    const [first, second] = [await transport.world(ok), await transport.world(ok, { pair: untrusted })];
    const urls = [first.request.url, second.request.url];
    assert.deepEqual(await sentFromChild(urls, unrelatedCaFile, caFile), ['200', '200']);
    assert.deepEqual(await sentFromChild(urls, unrelatedCaFile), ['NETWORK_TLS', '200']);
    assert.deepEqual(await sentFromChild(urls, '', caFile), ['200', 'NETWORK_TLS']);
  });

  it('is not less where NODE_EXTRA_CA_CERTS names a file that is not there', async () => {
    const { caFile, folder } = transport.certificates();
    const { request } = await transport.world(ok);
    assert.deepEqual(await sentFromChild([request.url], caFile, join(folder, 'absent.pem')), ['200']);
  });

  it('does not blame the agent file for what NODE_EXTRA_CA_CERTS names', async () => {
    const { caFile, folder, untrusted } = transport.certificates();
    const before = process.env['NODE_EXTRA_CA_CERTS'];
    process.env['NODE_EXTRA_CA_CERTS'] = join(folder, 'absent.pem');
    try {
      const { http, request } = await transport.world(ok, { pair: untrusted });
      const error = await failureOf(http.send(request), 'NETWORK_TLS');
      assert.ok(!error.message.includes(`${caFile} cannot be used`), error.message);
    } finally {
      if (before === undefined) delete process.env['NODE_EXTRA_CA_CERTS'];
      else process.env['NODE_EXTRA_CA_CERTS'] = before;
    }
  });

  it('says which file cannot be read', async () => {
    const { folder } = transport.certificates();
    for (const caFile of [join(folder, 'absent.pem'), folder]) {
      const { http, request, server } = await transport.world(ok, { settings: { caFile } });
      const error = await failureOf(http.send(request), 'NETWORK_TLS');
      assert.ok(error.message.includes(`${caFile} cannot be used`), error.message);
      assert.equal(server.count(), 0);
    }
  });

  it('says that a file holds no certificate in PEM', async () => {
    const { folder, caCertificate } = transport.certificates();
    const der = Buffer.from(caCertificate.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    const cutOff = caCertificate.slice(0, caCertificate.length / 2);
    for (const [name, content] of Object.entries({ 'ca.der': der, 'empty.pem': '', 'cut.pem': cutOff })) {
      const caFile = join(folder, name);
      await writeFile(caFile, content);
      const { http, request } = await transport.world(ok, { settings: { caFile } });
      const error = await failureOf(http.send(request), 'NETWORK_TLS');
      assert.ok(error.message.includes(`${caFile} cannot be used`), `${name}: ${error.message}`);
    }
  });
});
