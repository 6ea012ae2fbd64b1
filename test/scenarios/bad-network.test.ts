import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { proxyPassword } from '../servers/connect-proxy.ts';
import { cannedAnswers, type FaultOutcome, firstTimes } from '../servers/faults.ts';
import type { Lab } from '../servers/lab.ts';
import {
  assertIssued,
  assertRefused,
  assertRequests,
  registryToken,
  requestCounts,
  runSteps,
  type StepOptions,
} from './bad-run.ts';
import { labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

/** A port of this machine on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

const events = ['intent', 'failed'];

describe('bad proxies', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = (options: StepOptions = {}) => runSteps(suite.lab, [registryToken()], options);

  const credentials = [
    'The user name or password that the agent was configured with',
    'Next: Configure the agent again',
  ];
  for (const [title, change] of [
    ['a wrong password', { password: 'p@ss:w/ord#' }],
    ['a wrong user', { username: 'svc' }],
    ['no credentials', { username: '', password: '' }],
  ] as const) {
    it(`407: ${title}`, async () => {
      const { url, username, password } = suite.lab.proxy;
      const failed = await run({ proxy: { url, username, password, ...change } });
      assert.ok(requestCounts(failed).proxy <= 2, 'asked once, and once by the clean-up');
      assertRefused(failed, {
        code: 'PROXY_AUTHENTICATION',
        says: ['asks for other credentials (407) on the way to', '--proxyusername and --proxypassword', ...credentials],
        events,
      });
    });
  }

  it('a password full of signs that need quoting is none of them', async () => {
    assert.match(proxyPassword, /@.*:.*\/.*#.*%/);
    assertIssued(await run());
  });

  it('nothing listens at its address', async () => {
    const proxy = { url: `http://127.0.0.1:${await closedPort()}`, username: '', password: '' };
    assertRefused(await run({ proxy }), {
      code: 'PROXY_FAILED',
      says: [`The proxy ${proxy.url.slice(7)} could not be reached`, 'ECONNREFUSED', '--proxyurl'],
      events,
    });
  });

  it('its name is not known', async () => {
    const proxy = { url: 'http://proxy.contoso.invalid:3128', username: '', password: '' };
    assertRefused(await run({ proxy }), {
      code: 'PROXY_FAILED',
      says: ['The proxy proxy.contoso.invalid:3128 could not be reached', /ENOTFOUND|EAI_AGAIN/],
      events,
    });
  });

  const refusals: readonly [title: string, outcome: FaultOutcome, says: readonly string[]][] = [
    [
      'it refuses the host',
      { status: 403, body: 'denied by policy' },
      ['refused to connect to dev.azure.com', 'status 403'],
    ],
    ['it cannot resolve the host', cannedAnswers.proxyNameFailure(), ['could not reach dev.azure.com', 'status 503']],
    ['it answers with a page', cannedAnswers.html(502), ['status 502']],
  ];
  for (const [title, outcome, says] of refusals) {
    it(title, async () => {
      suite.lab.fault('proxy', () => outcome);
      const failed = await run();
      assert.ok(requestCounts(failed).proxy <= 2, 'asked once, and once by the clean-up');
      assertRefused(failed, {
        code: 'PROXY_REFUSED',
        says: [...says, /Next: .*ask the proxy's administrator/i],
        events,
      });
    });
  }

  it('it refuses the host of a later request only', async () => {
    suite.lab.fault('proxy', (call) => (call.host === 'contoso.azurecr.io' ? { status: 403 } : undefined));
    assertRefused(await run(), {
      code: 'PROXY_REFUSED',
      says: ['refused to connect to contoso.azurecr.io', 'allow CONNECT to contoso.azurecr.io:443'],
      requests: { oidc: 1, entra: 1 },
    });
  });

  it('it resets the connection, then lets it pass', async () => {
    suite.lab.fault('proxy', firstTimes(1, 'reset'));
    const healed = await run();
    assertIssued(healed);
    assertRequests(healed, { oidc: 1, entra: 1, registry: 2 });
  });

  it('it does not answer once, then lets pass', async () => {
    suite.lab.fault('proxy', firstTimes(1, 'hang'));
    const healed = await run();
    assertIssued(healed);
    assertRequests(healed, { oidc: 1, entra: 1, registry: 2 });
  });

  const lists = [
    ['no JSON', '*.contoso.example', 'is not a JSON array of regular expressions; it is ignored'],
    ['no array', '{"bypass":"localhost"}', 'is not a JSON array of regular expressions; it is ignored'],
    ['no regular expression', '["(localhost"]', 'proxy bypass pattern "(localhost" cannot be used; it is ignored'],
    ['a pattern that would never end', '["^(\\\\w+:?/?)*/?$|^([a-z:/.]+)+=$"]', 'cannot be used; it is ignored'],
  ] as const;
  for (const [title, list, says] of lists) {
    it(`a bypass list that is ${title} is ignored with a warning`, async () => {
      const issued = await run({ variables: { 'agent.proxybypasslist': list } });
      assertIssued(issued, { warnings: ['PROXY_SETTINGS'] });
      assert.ok(
        stageOf(issued, 'token').issues[0]?.message.includes(says),
        stageOf(issued, 'token').issues[0]?.message,
      );
    });
  }
});

describe('bad certificates', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = (options: StepOptions = {}) => runSteps(suite.lab, [registryToken()], options);
  const folder = mkdtempSync(join(tmpdir(), 'authorities-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  /** A handshake may be tried again with more authorities, and no more often than that. */
  const assertFewTunnels = (failed: Awaited<ReturnType<typeof run>>) => {
    const { proxy } = requestCounts(failed);
    assert.ok(proxy <= 4, `${proxy} tunnels, two of them the clean-up's`);
  };
  const authority = [
    'agent.cainfo',
    '--sslcacert',
    'NODE_EXTRA_CA_CERTS',
    'agent.skipcertvalidation has no effect here',
  ];

  it('an authority that the agent does not know', async () => {
    const failed = await run({ caInfo: false });
    const says = ["The certificate of the pipeline's OIDC route (dev.azure.com) is not trusted", ...authority];
    assertRefused(failed, { code: 'NETWORK_TLS', says, events });
    assertFewTunnels(failed);
  });

  it('another authority than the agent’s', async () => {
    const failed = await run({ caInfo: suite.lab.unrelatedCaFile });
    assertRefused(failed, { code: 'NETWORK_TLS', says: authority, events });
    assertFewTunnels(failed);
  });

  for (const [certificate, code] of [
    ['untrusted', /UNABLE_TO_|SELF_SIGNED/],
    ['wrongName', /ERR_TLS_CERT_ALTNAME_INVALID/],
    ['expired', /CERT_HAS_EXPIRED/],
  ] as const) {
    it(`a certificate that is ${certificate}`, async () => {
      suite.lab.fault('proxy', ({ method, host }) =>
        method === 'CONNECT' && host === 'login.microsoftonline.com' ? { certificate } : undefined,
      );
      const failed = await run();
      const says = [/The certificate (of|that) Microsoft Entra \(login\.microsoftonline\.com\)/, code];
      assertRefused(failed, { code: 'NETWORK_TLS', says, requests: { oidc: 1 } });
      const sent = failed.requests.filter(({ server, method }) => server === 'proxy' && method !== 'CONNECT');
      assert.deepEqual(sent, [], 'nothing was sent to a server that is not Microsoft Entra');
    });
  }

  it('is not accepted because the agent skips its own checks', async () => {
    const failed = await run({ caInfo: false, variables: { 'agent.skipcertvalidation': 'True' } });
    assertRefused(failed, { code: 'NETWORK_TLS', says: authority, events });
  });

  const files: readonly [title: string, path: () => string][] = [
    ['is missing', () => join(folder, 'missing.pem')],
    ['is a folder', () => folder],
    ['is empty', () => file('empty.pem', '')],
    ['holds no certificate', () => file('garbage.pem', 'not a certificate\n')],
    [
      'holds a broken certificate',
      () => file('broken.pem', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'),
    ],
  ];
  for (const [title, path] of files) {
    it(`an authority file that ${title}`, async () => {
      const failed = await run({ caInfo: path() });
      const says = [`The certificate authority file ${path()} cannot be used`, '--sslcacert', 'hold PEM certificates'];
      assertRefused(failed, { code: 'NETWORK_TLS', says, events });
      assert.equal(requestCounts(failed).proxy, 0, 'no tunnel');
    });
  }

  describe('in the agent’s own environment', () => {
    it('an authority is honoured', async () => {
      const agentEnvironment = { NODE_EXTRA_CA_CERTS: suite.lab.caFile };
      assertIssued(await run({ caInfo: false, agentEnvironment }));
    });

    it('an authority is honoured beside the agent’s file', async () => {
      const agentEnvironment = { NODE_EXTRA_CA_CERTS: suite.lab.caFile };
      assertIssued(await run({ caInfo: suite.lab.unrelatedCaFile, agentEnvironment }));
    });
  });
});

describe('bad names', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('a name that cannot be resolved', async () => {
    // A name of the kind that never resolves, on whatever machine the test runs.
    const collectionUri = 'https://devops.contoso.invalid/contoso/';
    const lab: Lab = {
      ...suite.lab,
      collectionUri,
      registerJob(job) {
        const grant = suite.lab.registerJob(job);
        const address = grant.oidcRequestUri.replace('https://dev.azure.com/contoso/', collectionUri);
        return { ...grant, oidcRequestUri: address };
      },
    };
    const failed = await runSteps(lab, [registryToken()], { proxy: false });
    assertRefused(failed, {
      code: 'NETWORK_NAME',
      says: [
        "The name of the pipeline's OIDC route (devops.contoso.invalid) could not be resolved",
        /ENOTFOUND|EAI_AGAIN/,
        'Next: Resolve devops.contoso.invalid on the agent machine',
        '--proxyurl',
      ],
      events,
    });
  });
});
