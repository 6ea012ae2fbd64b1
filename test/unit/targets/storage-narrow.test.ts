import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { failureOf } from '../io/outcome.ts';
import { type Answer, json } from '../steps/fake-world.ts';
import { credential, narrowIn, planOf } from './narrowing.ts';
import { expectedSignature } from './signed-fields.ts';

// With an await at its top level the file is loaded as an ES module, and every module that it reaches stands once.
const { storage } = await import('../../../src/targets/storage/index.ts');
const { keyFailure } = await import('../../../src/targets/storage/failures.ts');

const account = 'https://contoso.blob.core.windows.net';
const keyValue = Buffer.from('a key of thirty-two bytes, about').toString('base64');

/** A delegation key as the service answers it; `more` replaces elements, and an empty one is left out. */
function keyAnswer(more: Record<string, string> = {}, headers: Record<string, string> = {}): Answer {
  const elements = {
    SignedOid: 'aaaaaaaa-1111-4111-8111-111111111111',
    SignedTid: 'bbbbbbbb-1111-4111-8111-111111111111',
    SignedStart: '2026-03-01T11:55:00Z',
    SignedExpiry: '2026-03-01T13:00:00Z',
    SignedService: 'b',
    SignedVersion: '2022-11-02',
    Value: keyValue,
    ...more,
  };
  const inner = Object.entries(elements)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `<${name}>${value}</${name}>`);
  const body = `<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>${inner.join('')}</UserDelegationKey>`;
  return { status: 200, body, headers: { 'content-type': 'application/xml', ...headers } };
}

const container = () => planOf(storage, account, 'read,list on logs');
const directory = () => planOf(storage, account, 'read on logs/2026/**');
const refused = (status: number, code: string): Answer => ({
  status,
  headers: { 'x-ms-error-code': code, 'x-ms-request-id': 'r-1' },
  body: `<Error><Code>${code}</Code></Error>`,
});

describe('narrowing to a storage signature', () => {
  it('asks for a key at the account, and signs with it', async () => {
    const { world, result } = narrowIn(container(), () => keyAnswer({}, { 'x-ms-request-id': 'r-1' }));
    const token = await result;
    const value = token.value.reveal();
    const fields = new URLSearchParams(value);
    assert.equal(fields.get('sig'), expectedSignature(value, { account: 'contoso', path: 'logs', keyValue }));
    assert.equal(fields.get('se'), '2026-03-01T13:00:00Z');
    assert.equal(fields.get('st'), '2026-03-01T11:55:00Z');
    assert.equal(fields.get('scid'), 'record-1');
    assert.deepEqual(
      [token.granted, token.missing, token.excess, token.enforcement, token.proof],
      [['read,list on logs'], [], [], 'issuer', 'constructed'],
    );
    assert.equal(token.notChecked.length, 1);
    assert.deepEqual(token.ids, { 'x-ms-request-id': 'r-1', scid: 'record-1' });
    assert.equal(world.requests.length, 1);
    const [request] = world.requests;
    assert.equal(request?.method, 'POST');
    assert.match(request?.url ?? '', /^https:\/\/contoso\.blob\.core\.windows\.net\/\?.*comp=userdelegationkey/);
    assert.deepEqual(request?.allowedHosts, ['contoso.blob.core.windows.net']);
    assert.equal(request?.headers?.['authorization'], 'Bearer eyJ-wide-credential');
    assert.match(request?.body ?? '', /<Start>2026-03-01T11:55:00Z<\/Start><Expiry>2026-03-01T13:00:00Z<\/Expiry>/);
  });

  it('masks key, value and signature before it returns', async () => {
    const { masked, result } = narrowIn(container(), () => keyAnswer());
    const { value, maskAlso } = await result;
    const signature = new URLSearchParams(value.reveal()).get('sig') ?? '';
    assert.deepEqual(new Set(masked()), new Set([keyValue, value.reveal(), signature, encodeURIComponent(signature)]));
    assert.equal(masked()[0], keyValue);
    assert.deepEqual(
      maskAlso.map((secret) => secret.reveal()),
      [signature, encodeURIComponent(signature)],
    );
    assert.ok(value.reveal().includes(encodeURIComponent(signature)));
  });

  it('ends with the key, with one warning, where that ends first', async () => {
    const early = await narrowIn(container(), () => keyAnswer({ SignedExpiry: '2026-03-01T12:20:00Z' })).result;
    assert.equal(early.expiresOn.toISOString(), '2026-03-01T12:20:00.000Z');
    assert.equal(new URLSearchParams(early.value.reveal()).get('se'), '2026-03-01T12:20:00Z');
    assert.equal(early.warnings.length, 1);
    const late = await narrowIn(container(), () => keyAnswer({ SignedExpiry: '2026-03-07T12:00:00Z' })).result;
    assert.equal(late.expiresOn.toISOString(), '2026-03-01T13:00:00.000Z');
    assert.deepEqual(late.warnings, []);
  });

  it('reckons with the clock of the servers', async () => {
    for (const [skew, start, end] of [
      [600, '11:45:00', '12:50:00'],
      [-600, '12:05:00', '13:10:00'],
    ] as const) {
      const { result, world } = narrowIn(
        container(),
        () => keyAnswer({ SignedExpiry: '2026-03-07T12:00:00Z' }),
        (it) => {
          it.skew = skew;
        },
      );
      const fields = new URLSearchParams((await result).value.reveal());
      assert.equal(fields.get('st'), `2026-03-01T${start}Z`);
      assert.equal(fields.get('se'), `2026-03-01T${end}Z`);
      assert.match(world.requests[0]?.body ?? '', new RegExp(`<Start>2026-03-01T${start}Z`));
    }
  });

  it('signs with no key that has ended already', async () => {
    for (const SignedExpiry of ['2026-03-01T11:59:59Z', '2026-03-01T12:00:00Z', '2020-01-01T00:00:00Z']) {
      const { result, masked } = narrowIn(container(), () => keyAnswer({ SignedExpiry }));
      const error = await failureOf(result, 'TARGET_BAD_ANSWER');
      assert.match(error.message, /has ended already/);
      assert.deepEqual(masked(), [keyValue]);
    }
  });

  it('signs with nothing that is no key', async () => {
    const answers: Answer[] = [
      { status: 200, body: '<html>captive portal</html>', headers: { 'content-type': 'text/html' } },
      { status: 200, body: '' },
      json({ Value: keyValue }),
      keyAnswer({ Value: '' }),
      keyAnswer({ SignedExpiry: '' }),
      keyAnswer({ SignedExpiry: 'soon' }),
    ];
    for (const answer of answers) {
      const error = await failureOf(narrowIn(container(), () => answer).result, 'TARGET_BAD_ANSWER');
      assert.doesNotMatch(error.message, /captive|thirty/);
      assert.ok(!error.message.includes(keyValue));
    }
  });

  it('signs with no key that lacks one of its fields', async () => {
    for (const field of ['SignedOid', 'SignedTid', 'SignedStart', 'SignedService', 'SignedVersion']) {
      await failureOf(narrowIn(container(), () => keyAnswer({ [field]: '' })).result, 'TARGET_BAD_ANSWER');
    }
  });

  it('says who was refused, and what to give', async () => {
    const denied = narrowIn(container(), () => refused(403, 'AuthorizationPermissionMismatch'));
    const error = await failureOf(denied.result, 'TARGET_DENIED');
    assert.match(error.message, /object id object-1, client id 8888/);
    assert.match(error.message, /--assignee-object-id object-1 .*"Storage Blob Delegator"/);
    assert.match(error.message, /For support: AuthorizationPermissionMismatch, x-ms-request-id r-1/);
    const plan = container();
    const { identity } = credential;
    const { objectId: _left, ...unknown } = identity;
    const world = narrowIn(plan, () => refused(403, 'AuthorizationPermissionMismatch')).world;
    const context = { io: world, mask: () => undefined, correlationId: 'record-1' };
    const other = await failureOf(plan.narrow({ ...credential, identity: unknown }, context), 'TARGET_DENIED');
    assert.match(other.message, /object id unknown.*\n.*\n.*--assignee-object-id OBJECT_ID/);
  });

  it('tells refusals, outages and nonsense apart', async () => {
    const rows = [
      [refused(403, 'AuthorizationFailure'), 'TARGET_DENIED', /\(403, AuthorizationFailure\)/],
      [refused(401, 'InvalidAuthenticationInfo'), 'TARGET_DENIED', /\(401, InvalidAuthenticationInfo\)/],
      [{ status: 403, body: '<html>no</html>' }, 'TARGET_DENIED', /\(403\)/],
      [{ status: 403, body: '<Error><Code>FromTheBody</Code></Error>' }, 'TARGET_DENIED', /FromTheBody/],
      [{ status: 403, headers: { 'x-ms-error-code': '##vso[x]' } }, 'TARGET_DENIED', /\(403\)/],
      [refused(400, 'InvalidInput'), 'TARGET_REFUSED', /InvalidInput/],
      [{ status: 404 }, 'TARGET_REFUSED', /status 404/],
      [{ status: 302, headers: { location: 'https://evil.example/' } }, 'TARGET_REFUSED', /status 302/],
      [{ status: 429, attempts: 4 }, 'THROTTLED', /after 4 tries/],
      [{ status: 503 }, 'SERVER_UNAVAILABLE', /status 503/],
    ] as const;
    for (const [answer, code, expected] of rows) {
      const { world, result } = narrowIn(container(), () => answer);
      const error = await failureOf(result, code);
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /vso|<html|eyJ|evil/);
      assert.equal(world.requests.length, 1, 'the library does not repeat on its own');
    }
  });

  it('says that the library failed before it asked the service, without its details', () => {
    const error = keyFailure(
      { name: 'contoso', blobHost: 'contoso.blob.core.windows.net' },
      undefined,
      credential,
      new Error('private'),
    );
    assert.equal(error.code, 'INTERNAL');
    assert.doesNotMatch(error.message, /private|undefined/);
  });

  it('fails as the network fails, unchanged', async () => {
    const failure = new ScopedTokenError('NETWORK_NAME', { happened: 'A.', next: 'B.' });
    assert.equal(await failureOf(narrowIn(container(), () => failure).result, 'NETWORK_NAME'), failure);
  });

  it('follows no redirect', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const { world, result } = narrowIn(container(), () => ({
        status,
        headers: { location: `${account}/elsewhere` },
      }));
      await failureOf(result, 'TARGET_REFUSED');
      assert.equal(world.requests.length, 1, String(status));
    }
  });

  describe('of a directory', () => {
    const hierarchical = { status: 200, headers: { 'x-ms-is-hns-enabled': 'true' } };

    it('asks the account with the signature itself whether it has directories', async () => {
      const { world, calls, result } = narrowIn(directory(), (_request, count) =>
        count === 1 ? keyAnswer() : hierarchical,
      );
      const token = await result;
      const value = token.value.reveal();
      assert.equal(
        new URLSearchParams(value).get('sig'),
        expectedSignature(value, { account: 'contoso', path: 'logs/2026', keyValue }),
      );
      const probe = world.requests[1];
      assert.equal(probe?.url, `${account}/logs/2026?restype=account&comp=properties&${value}`);
      assert.equal(probe?.headers?.['authorization'], undefined, 'the wide credential is not shown');
      const masked = calls.findIndex(([name, text]) => name === 'mask' && text === value);
      assert.ok(masked >= 0 && masked < calls.findIndex(([name, , url]) => name === 'request' && url === probe?.url));
      assert.deepEqual(token.granted, ['read on logs/2026/**']);
    });

    it('encodes the path', async () => {
      const plan = planOf(storage, account, 'read on logs/a b/c?d#e%/**');
      const { world, result } = narrowIn(plan, (_request, count) => (count === 1 ? keyAnswer() : hierarchical));
      await result;
      assert.ok(world.requests[1]?.url.startsWith(`${account}/logs/a%20b/c%3Fd%23e%25?restype=account`));
    });

    it('is refused on an account without, or one that does not say', async () => {
      const answers: Answer[] = [
        { status: 200, headers: { 'x-ms-is-hns-enabled': 'false' } },
        { status: 200, headers: { 'x-ms-is-hns-enabled': 'True' } },
        { status: 200 },
        { ...hierarchical, status: 403 },
        refused(403, 'AuthorizationFailure'),
        { status: 404 },
      ];
      for (const answer of answers) {
        const { result } = narrowIn(directory(), (_request, count) => (count === 1 ? keyAnswer() : answer));
        const error = await failureOf(result, 'TARGET_UNSUITABLE');
        assert.match(error.message, /Nothing was widened/);
        assert.doesNotMatch(error.message, /sig=/);
      }
      const down = narrowIn(directory(), (_request, count) => (count === 1 ? keyAnswer() : { status: 503 }));
      await failureOf(down.result, 'SERVER_UNAVAILABLE');
    });
  });
});
