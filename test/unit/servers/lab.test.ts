import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { debianProgram } from '../../servers/debian.ts';
import { cannedAnswers, firstTimes } from '../../servers/faults.ts';
import { type Lab, startLab } from '../../servers/lab.ts';
import { labRequest } from '../../servers/proxy-client.ts';

const discovery = 'https://login.microsoftonline.com/common/discovery/instance?api-version=1.1';

describe('the lab around a job', () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab({ registry: 'off' });
  });
  after(() => lab.stop());
  afterEach(() => lab.clearFaults());

  describe('proxy', () => {
    it('serves a production name with a certificate of the test authority', async () => {
      const answer = await labRequest(lab, discovery);
      assert.equal(answer.status, 200);
      const seen = lab.seenRequests().slice(-2);
      assert.deepEqual(
        seen.map(({ server, method, host, path, status }) => ({ server, method, host, path, status })),
        [
          { server: 'proxy', method: 'CONNECT', host: 'login.microsoftonline.com', path: '', status: 200 },
          {
            server: 'entra',
            method: 'GET',
            host: 'login.microsoftonline.com',
            path: '/common/discovery/instance?api-version',
            status: 200,
          },
        ],
      );
      assert.equal(seen[0]?.headers['authorizationScheme'], 'Basic');
    });

    it('asks for credentials, and refuses wrong ones', async () => {
      const bare = await labRequest(lab, discovery, { proxyUrl: lab.proxy.url });
      assert.equal(bare.status, 407);
      assert.match(String(bare.headers['proxy-authenticate']), /^Basic /);
      const wrong = lab.proxy.url.replace('//', '//corp%5Csvc:wrong@');
      assert.equal((await labRequest(lab, discovery, { proxyUrl: wrong })).status, 407);
    });

    it('refuses and records a host that is not mapped, and a mapped host on another port', async () => {
      assert.deepEqual(lab.refusedHosts(), []);
      assert.equal((await labRequest(lab, 'https://telemetry.example.com/')).status, 403);
      assert.equal((await labRequest(lab, 'https://dev.azure.com:8443/')).status, 403);
      assert.deepEqual(lab.refusedHosts(), ['telemetry.example.com', 'dev.azure.com']);
    });

    it('maps all hosts of a suffix, but not the bare suffix', async () => {
      const { port } = new URL(lab.proxy.url);
      lab.proxy.map('*.suffix.example.com', Number(port));
      // The proxy itself is no TLS server: reaching it proves the mapping.
      await assert.rejects(labRequest(lab, 'https://a.suffix.example.com/'), /SSL|wrong version|disconnected|hang up/i);
      assert.equal((await labRequest(lab, 'https://suffix.example.com/')).status, 403);
    });

    for (const certificate of ['untrusted', 'wrongName', 'expired'] as const) {
      it(`can end one host's tunnel at a certificate that is ${certificate}`, async () => {
        lab.fault('proxy', (request) => (request.host === 'dev.azure.com' ? { certificate } : undefined));
        const codes = {
          untrusted: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
          wrongName: 'ERR_TLS_CERT_ALTNAME_INVALID',
          expired: 'CERT_HAS_EXPIRED',
        };
        await assert.rejects(labRequest(lab, 'https://dev.azure.com/'), { code: codes[certificate] });
        assert.equal((await labRequest(lab, discovery)).status, 200);
      });
    }

    it('can demand credentials always, fail to resolve, reset and hang', async () => {
      lab.fault('proxy', () => cannedAnswers.proxyAuthenticationRequired());
      assert.equal((await labRequest(lab, discovery)).status, 407);
      lab.fault('proxy', () => cannedAnswers.proxyNameFailure());
      assert.match(String((await labRequest(lab, discovery)).headers['x-squid-error']), /ERR_DNS_FAIL/);
      lab.fault('proxy', () => 'reset');
      await assert.rejects(labRequest(lab, discovery), { code: 'ECONNRESET' });
      lab.fault('proxy', () => 'hang');
      await assert.rejects(labRequest(lab, discovery, { timeLimitMilliseconds: 150 }));
    });
  });

  describe('faults', () => {
    it('answer instead of the server for as often as asked', async () => {
      lab.fault('entra', firstTimes(1, cannedAnswers.throttled(3)));
      const first = await labRequest(lab, discovery);
      assert.equal(first.status, 429);
      assert.equal(first.headers['retry-after'], '3');
      assert.equal((await labRequest(lab, discovery)).status, 200);
    });

    it('give an HTTP date as Retry-After', async () => {
      const at = new Date('2026-11-25T10:00:00Z');
      lab.fault('entra', () => cannedAnswers.throttled(at));
      assert.equal((await labRequest(lab, discovery)).headers['retry-after'], 'Wed, 25 Nov 2026 10:00:00 GMT');
    });

    it('reset a connection behind the proxy, and leave a request without answer', async () => {
      lab.fault('entra', () => 'reset');
      await assert.rejects(labRequest(lab, discovery), { code: 'ECONNRESET' });
      lab.fault('entra', () => 'hang');
      await assert.rejects(labRequest(lab, discovery, { timeLimitMilliseconds: 150 }), { code: 'ETIMEDOUT' });
      assert.equal(lab.seenRequests().at(-1)?.status, 0);
    });

    it('delay and alter the normal answer', async () => {
      lab.fault('entra', () => ({ delayMilliseconds: 120 }));
      const started = performance.now();
      assert.equal((await labRequest(lab, discovery)).status, 200);
      assert.ok(performance.now() - started >= 115);
      lab.fault('entra', () => ({ alter: (answer) => ({ ...answer, status: 203 }) }));
      const altered = await labRequest(lab, discovery);
      assert.equal(altered.status, 203);
      assert.ok(altered.json()['metadata']);
    });
  });

  it('keeps its own time, in Date headers too', async () => {
    lab.clock.offsetSeconds = 900;
    try {
      const answer = await labRequest(lab, discovery);
      const ahead = Date.parse(String(answer.headers.date)) - Date.now();
      assert.ok(Math.abs(ahead - 900_000) < 5000, `${ahead} ms ahead`);
    } finally {
      lab.clock.offsetSeconds = 0;
    }
  });

  it('tells the secrets of the proxy, raw and as they travel', () => {
    const kinds = new Map(lab.issuedSecrets().map((secret) => [secret.kind, secret.value]));
    assert.equal(kinds.get('proxyPassword'), lab.proxy.password);
    assert.equal(
      kinds.get('proxyCredential'),
      Buffer.from(`${lab.proxy.username}:${lab.proxy.password}`).toString('base64'),
    );
  });

  it('says why there is no registry, and serves the rest', () => {
    assert.equal(lab.registry.available, false);
    assert.match(lab.registry.unavailableReason ?? '', /without one/);
  });
});

describe('the Debian programs', () => {
  it('are looked up, and a missing one is named with the way to get it', () => {
    const missing = debianProgram('docker-registry', [dirname(import.meta.filename)]);
    assert.equal(missing.available, false);
    assert.match(missing.available ? '' : missing.reason, /apt-get install .*docker-registry/);
  });
});

describe('the end of a lab', () => {
  it('leaves no process, no port and no file', async () => {
    const lab = await startLab();
    const children = childProcesses(process.pid);
    assert.ok(children.length >= 1);
    const folder = dirname(lab.caFile);
    const port = Number(new URL(lab.proxy.url).port);
    await lab.stop();
    await lab.stop();
    assert.deepEqual(children.filter(isAlive), []);
    assert.equal(existsSync(folder), false);
    assert.equal(await accepts(port), false);
  });

  it('comes also when the process that started it is killed', async () => {
    const lines = [
      `const { startLab } = await import(${JSON.stringify(new URL('../../servers/lab.ts', import.meta.url).href)});`,
      'console.log((await startLab()).caFile);',
    ];
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', lines.join('\n')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const folder = dirname(output.toString('utf8').trim());
    assert.equal(existsSync(folder), true);
    const servers = childProcesses(child.pid ?? 0);
    assert.ok(servers.length >= 1);
    child.kill('SIGKILL');
    await once(child, 'exit');
    for (let attempt = 0; attempt < 100 && (servers.some(isAlive) || existsSync(folder)); attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.deepEqual(servers.filter(isAlive), []);
    assert.equal(existsSync(folder), false);
  });
});

/** All descendants of a process, from /proc. */
function childProcesses(parent: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const found: number[] = [];
  const walk = (id: number): void => {
    for (const [child, of] of parents) {
      if (of !== id) continue;
      found.push(child);
      walk(child);
    }
  };
  walk(parent);
  return found.filter((id) => /azurite|docker-registry/.test(commandLine(id)));
}

function commandLine(id: number): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(id: number): boolean {
  return commandLine(id) !== '';
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
