import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { containerRegistry } from '../../../src/targets/container-registry/index.ts';
import { failureOf } from '../io/outcome.ts';
import { type Answer, json, jwtOf } from '../steps/fake-world.ts';
import { azure, credential, mistakesOf, narrowIn, planOf } from './narrowing.ts';

const host = 'contoso.azurecr.io';
const expiry = Date.parse('2026-03-01T13:15:00Z') / 1000;
const accessToken = (access: unknown, more: object = {}) => jwtOf({ access, exp: expiry, ...more });
const refreshToken = jwtOf({ grant_type: 'refresh_token' }, 'cmVmcmVzaA');
const repository = (name: string, ...actions: string[]) => ({ type: 'repository', name, actions });
const plan = (scopes = 'pull on team/app') => planOf(containerRegistry, host, scopes);

/** Narrows where the first route gives a refresh token and the second this answer. */
const narrow = (second: Answer, scopes?: string, first: Answer = json({ refresh_token: refreshToken })) =>
  narrowIn(plan(scopes), (_request, count) => (count === 1 ? first : second));
const granted = (access: unknown, more: object = {}) => json({ access_token: accessToken(access, more) });

describe('the registry target', () => {
  it('takes the host of a registry, and writes it one way', () => {
    for (const resource of [
      host,
      `https://${host}`,
      `https://${host}/`,
      'HTTPS://Contoso.AzureCR.io',
      'contoso-d4e5.azurecr.io',
    ]) {
      const { resource: written, audience } = planOf(containerRegistry, resource, 'pull on a');
      assert.equal(written, resource.includes('d4e5') ? 'contoso-d4e5.azurecr.io' : host);
      assert.equal(audience, azure.registryAudience);
    }
  });

  it('takes no other host', () => {
    const others = [
      'contoso.azurecr.io.evil.example',
      'a.b.azurecr.io',
      'azurecr.io',
      '.azurecr.io',
      'contoso.azurecr.us',
      'http://contoso.azurecr.io',
      'user:pass@contoso.azurecr.io',
      'contoso.azurecr.io@evil.example',
      'contoso.azurecr.io:443',
      'contoso.azurecr.io/team/app',
      'contoso.azurecr.io//',
      'contoso.azurecr.io.',
      'contoso.azurecr.io?x',
      'cöntoso.azurecr.io',
      'contoso\u212A.azurecr.io',
      '-contoso.azurecr.io',
      'localhost:5000',
      'docker.io',
    ];
    for (const resource of others) {
      assert.match(
        mistakesOf(containerRegistry, resource, 'pull on a').join(),
        /^resource: .* is not the host of a registry in AzureCloud; expected NAME\.azurecr\.io$/,
      );
    }
    assert.equal(mistakesOf(containerRegistry, 'x', 'read on A').length, 3, 'host and scopes together');
  });

  it('prints lines to paste that hand the token over standard input', () => {
    const usage = plan().usage('MY_TOKEN');
    assert.match(
      usage.join('\n'),
      /docker login contoso\.azurecr\.io --username 0{8}-0000-0000-0000-0{12} --password-stdin/,
    );
    assert.equal(usage.at(-1), '    REGISTRY_TOKEN: $(MY_TOKEN)');
    assert.equal(usage.filter((line) => line.includes('$(MY_TOKEN)')).length, 1);
  });
});

describe('narrowing to repositories', () => {
  it('exchanges for a refresh token, and that for a token of the declared rights', async () => {
    const token = accessToken([repository('team/app', 'pull'), repository('b', 'push', 'pull')]);
    const { world, result } = narrow(
      json({ access_token: token }, 200, { 'x-ms-correlation-request-id': 'c-1' }),
      'pull on team/app\npull,push on b',
    );
    const narrowed = await result;
    assert.equal(narrowed.value.reveal(), token);
    assert.deepEqual(narrowed.granted, ['pull on team/app', 'push,pull on b']);
    assert.deepEqual([narrowed.missing, narrowed.excess, narrowed.warnings, narrowed.notChecked], [[], [], [], []]);
    assert.deepEqual([narrowed.enforcement, narrowed.proof], ['issuer', 'readBack']);
    assert.equal(narrowed.expiresOn.toISOString(), '2026-03-01T13:15:00.000Z');
    assert.deepEqual(narrowed.ids, { 'x-ms-correlation-request-id': 'c-1' });
    const [exchange, ask] = world.requests;
    assert.equal(world.requests.length, 2);
    assert.equal(exchange?.url, `https://${host}/oauth2/exchange`);
    assert.equal(ask?.url, `https://${host}/oauth2/token`);
    const pairs = (body: string | undefined) => [...new URLSearchParams(body)].map((pair) => pair.join('='));
    assert.deepEqual(pairs(exchange?.body), [
      'grant_type=access_token',
      `service=${host}`,
      `tenant=${credential.identity.tenantId}`,
      'access_token=eyJ-wide-credential',
    ]);
    assert.deepEqual(pairs(ask?.body), [
      'grant_type=refresh_token',
      `service=${host}`,
      'scope=repository:team/app:pull',
      'scope=repository:b:pull,push',
      `refresh_token=${refreshToken}`,
    ]);
    for (const request of world.requests) {
      assert.equal(request.method, 'POST');
      assert.deepEqual(request.allowedHosts, [host]);
      assert.equal(request.headers?.['x-ms-client-request-id'], 'record-1');
      assert.equal(request.headers?.['authorization'], undefined);
    }
  });

  it('masks each token before the next thing is done', async () => {
    const token = accessToken([repository('team/app', 'pull')]);
    const { calls, result } = narrow(json({ access_token: token }));
    const narrowed = await result;
    assert.deepEqual(
      calls.map(([name, value]) => (name === 'mask' ? [name, value] : [name])),
      [['request'], ['mask', refreshToken], ['request'], ['mask', token]],
    );
    assert.doesNotMatch(JSON.stringify(narrowed), /eyJ/);
  });

  it('names what was granted beside, and what was not', async () => {
    const rows: [unknown[], string[], string[]][] = [
      [[repository('team/app', 'pull', 'push')], ['push on team/app'], []],
      [[repository('team/app', '*')], ['* on team/app'], ['pull on team/app']],
      [[repository('team/app', 'pull'), repository('team/app2', 'pull')], ['pull on team/app2'], []],
      [
        [repository('team/app', 'pull'), { type: 'registry', name: 'catalog', actions: ['*'] }],
        ['* on registry:catalog'],
        [],
      ],
      [
        [repository('team/app', 'pull'), { type: 'Repository', name: 'team/app', actions: ['push'] }],
        ['push on Repository:team/app'],
        [],
      ],
      [[repository('team/app', 'pull'), { type: 'team', name: 'app', actions: ['pull'] }], ['pull on team:app'], []],
      [[repository('Team/App', 'pull')], ['pull on Team/App'], ['pull on team/app']],
      [
        [repository('team/app', 'pull'), { type: 'repository', name: 'team/app', actions: [null] }],
        ['null on team/app'],
        [],
      ],
      [[repository('team/app', 'pull'), repository('team/app')], [], []],
    ];
    for (const [access, excess, missing] of rows) {
      const token = await narrow(granted(access)).result;
      assert.deepEqual([token.excess, token.missing], [excess, missing], JSON.stringify(access));
    }
    const less = await narrow(granted([repository('team/app', 'pull')]), 'pull,push on team/app').result;
    assert.deepEqual([less.granted, less.missing, less.excess], [['pull on team/app'], ['push on team/app'], []]);
  });

  it('is refused where nothing was granted', async () => {
    for (const access of [[], [repository('team/app')], [repository('team/app'), repository('b')]]) {
      const error = await failureOf(narrow(granted(access)).result, 'GRANTED_NOTHING');
      assert.match(error.message, /granted none of: pull on team\/app/);
      assert.match(error.message, /object id object-1/);
      assert.doesNotMatch(error.message, /eyJ/);
    }
  });

  it('is refused where what was granted cannot be read', async () => {
    const tokens = [
      'opaque',
      jwtOf({ exp: expiry }),
      jwtOf({ access: null, exp: expiry }),
      jwtOf({ access: {}, exp: expiry }),
      jwtOf({ access: 'repository:team/app:pull', exp: expiry }),
      jwtOf({ access: [null], exp: expiry }),
      jwtOf({ access: [{ type: 'repository', name: 'team/app' }], exp: expiry }),
      jwtOf({ access: [{ type: 'repository', actions: ['pull'] }], exp: expiry }),
      jwtOf({ access: [repository('team/app', 'pull'), 'x'], exp: expiry }),
      jwtOf({ access: [repository('team/app', 'pull')] }),
      jwtOf({ access: [repository('team/app', 'pull')], exp: 'soon' }),
    ];
    for (const token of tokens) {
      const { result, masked } = narrow(json({ access_token: token }));
      const error = await failureOf(result, 'TARGET_BAD_ANSWER');
      assert.match(error.message, /cannot be read, so the token is not used/);
      assert.ok(masked().includes(token), 'it is masked all the same');
      assert.ok(!error.message.includes(token));
    }
  });

  it('is refused where the token has ended already', async () => {
    for (const exp of [Date.parse('2026-03-01T11:00:00Z') / 1000, 0, -1]) {
      await failureOf(narrow(granted([repository('team/app', 'pull')], { exp })).result, 'TARGET_BAD_ANSWER');
    }
  });

  it('is refused where its end is no date', async () => {
    await failureOf(narrow(granted([repository('team/app', 'pull')], { exp: 1e300 })).result, 'TARGET_BAD_ANSWER');
  });

  it('is refused where a route gives no token', async () => {
    const answers: Answer[] = [
      { status: 200, body: '<html>', headers: { 'content-type': 'text/html' } },
      { status: 200, body: '' },
      json({}),
      json({ refresh_token: '', access_token: '' }),
      json({ refresh_token: { a: 1 }, access_token: ['x'] }),
      { status: 200, body: '{"__proto__":{"refresh_token":"evil","access_token":"evil"}}' },
    ];
    for (const answer of answers) {
      const first = narrow(granted([]), undefined, answer);
      assert.match((await failureOf(first.result, 'TARGET_BAD_ANSWER')).message, /no "refresh_token"/);
      assert.equal(first.world.requests.length, 1);
      assert.match((await failureOf(narrow(answer).result, 'TARGET_BAD_ANSWER')).message, /no "access_token"/);
    }
  });

  it('tells refusals, outages and nonsense apart, at both routes', async () => {
    const unauthorized = { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required', detail: null }] };
    const rows = [
      [json(unauthorized, 401), 'TARGET_DENIED', /UNAUTHORIZED: authentication required/],
      [{ status: 401, body: '' }, 'TARGET_DENIED', /no role on it/],
      [{ status: 403, body: '<html>' }, 'TARGET_DENIED', /A network rule/],
      [json({ errors: [] }, 404), 'TARGET_REFUSED', /status 404/],
      [json({ errors: [null] }, 400), 'TARGET_REFUSED', /status 400/],
      [json({ errors: 'x' }, 400), 'TARGET_REFUSED', /status 400/],
      [{ status: 302, headers: { location: 'https://evil.example/' } }, 'TARGET_REFUSED', /status 302/],
      [{ status: 429 }, 'THROTTLED', /contoso\.azurecr\.io answered/],
      [{ status: 500 }, 'SERVER_UNAVAILABLE', /contoso\.azurecr\.io answered/],
    ] as const;
    for (const [answer, code, expected] of rows) {
      for (const result of [narrow(answer).result, narrow(granted([]), undefined, answer).result]) {
        const error = await failureOf(result, code);
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /eyJ|<html|evil/);
      }
    }
  });

  it('fails as the network fails, unchanged', async () => {
    const failure = new ScopedTokenError('NETWORK_TIMEOUT', { happened: 'A.', next: 'B.' });
    assert.equal(await failureOf(narrow(failure).result, 'NETWORK_TIMEOUT'), failure);
  });
});
