import assert from 'node:assert/strict';
import { requestAssertion } from '../../../src/identity/pipeline-oidc.ts';
import { Secret } from '../../../src/token/secret.ts';
import { failureOf } from '../io/outcome.ts';
import { connectionId } from '../steps/fake-pipeline.ts';
import { type Answer, FakeWorld, json, jwtOf } from '../steps/fake-world.ts';

const claims = {
  iss: 'https://vstoken.dev.azure.com/org',
  sub: 'sc://contoso/shop/deploy',
  aud: 'api://AzureADTokenExchange',
};
const token = jwtOf(claims);
const uri = 'https://dev.azure.com/contoso/p/_apis/distributedtask/hubs/build/plans/1/jobs/2/oidctoken';

function ask(answer: Answer, requestUri = uri) {
  const world = new FakeWorld([], () => answer);
  const masked: string[] = [];
  const oidc = {
    requestUri,
    accessToken: new Secret('job-access-token'),
    connectionId,
    collectionHost: 'dev.azure.com',
  };
  return { world, masked, result: requestAssertion(oidc, world, (value) => masked.push(value.reveal())) };
}

describe('the assertion of the pipeline', () => {
  it('is asked for by POST, for the connection, with the token of the job, at the collection only', async () => {
    const { world, result } = ask(json({ oidcToken: token }));
    const assertion = await result;
    assert.equal(assertion.token.reveal(), token);
    assert.deepEqual([assertion.issuer, assertion.subject, assertion.audience], [claims.iss, claims.sub, claims.aud]);
    const [request] = world.requests;
    assert.equal(request?.method, 'POST');
    assert.equal(request?.url, `${uri}?api-version=7.1&serviceConnectionId=${connectionId}`);
    assert.deepEqual(request?.allowedHosts, ['dev.azure.com']);
    assert.equal(request?.headers?.['authorization'], 'Bearer job-access-token');
    assert.equal(request?.headers?.['x-tfs-fedauthredirect'], 'Suppress');
    assert.equal(request?.plainHttp, undefined);
  });

  it('is asked for at an address with a slash, a query or another version at its end', async () => {
    const rows = [
      [`${uri}/`, `${uri}?api-version=7.1&serviceConnectionId=${connectionId}`],
      [`${uri}///`, `${uri}?api-version=7.1&serviceConnectionId=${connectionId}`],
      [`${uri}?api-version=6.0&x=1`, `${uri}?api-version=7.1&x=1&serviceConnectionId=${connectionId}`],
      [`${uri}?serviceConnectionId=other`, `${uri}?serviceConnectionId=${connectionId}&api-version=7.1`],
    ] as const;
    for (const [address, expected] of rows) {
      const { world, result } = ask(json({ oidcToken: token }), address);
      await result;
      assert.equal(world.requests[0]?.url, expected);
    }
  });

  it('is masked before it is read', async () => {
    const { masked, result } = ask(json({ oidcToken: 'opaque-assertion' }));
    await failureOf(result, 'OIDC_BAD_ANSWER');
    assert.deepEqual(masked, ['opaque-assertion']);
  });

  it('must tell issuer, subject and audience', async () => {
    for (const wrong of [{ ...claims, iss: '' }, { ...claims, sub: undefined }, { ...claims, aud: ['a'] }, {}]) {
      const { result } = ask(json({ oidcToken: jwtOf(wrong) }));
      const error = await failureOf(result, 'OIDC_BAD_ANSWER');
      assert.doesNotMatch(error.message, /eyJ/);
    }
  });

  it('is not the one of the pipeline itself', async () => {
    const { result } = ask(json({ oidcToken: jwtOf({ ...claims, sub: 'p://contoso/shop/build' }) }));
    assert.match(
      (await failureOf(result, 'OIDC_BAD_ANSWER')).message,
      /for the pipeline \("p:\/\/contoso\/shop\/build"\)/,
    );
  });

  it('is none where the answer holds none', async () => {
    const answers: [Answer, RegExp][] = [
      [{ status: 200, body: '' }, /status 200, no content type, an empty body[\s\S]*no JSON/],
      [
        { status: 200, body: '<html>Sign in</html>', headers: { 'content-type': 'text/html' } },
        /text\/html[\s\S]*no JSON/,
      ],
      [json({}), /holds no "oidcToken"/],
      [json({ oidcToken: '' }), /holds no "oidcToken"/],
      [json({ oidcToken: null }), /holds no "oidcToken"/],
      [json({ oidcToken: { a: 1 } }), /holds no "oidcToken"/],
      [json([token]), /no JSON/],
      [{ status: 200, body: `{"__proto__":{"oidcToken":"${token}"}}` }, /holds no "oidcToken"/],
    ];
    for (const [answer, expected] of answers) {
      const { result } = ask(answer);
      const error = await failureOf(result, 'OIDC_BAD_ANSWER');
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /Sign in|<html|eyJ/);
    }
  });

  it('is refused where the stage does not refer to the connection', async () => {
    const said = `There is no explicit reference to service connection ${connectionId} from current stage Build.Job.__default.`;
    for (const body of [{ count: 1, value: said }, { value: { Message: said } }, { message: said }]) {
      for (const status of [400, 403, 500]) {
        const error = await failureOf(ask(json(body, status)).result, 'OIDC_NOT_REFERENCED');
        assert.match(error.message, /Name the connection itself/);
        assert.ok(error.message.includes(said));
      }
    }
  });

  it('is refused, unavailable, throttled or down by status', async () => {
    const rows = [
      [302, 'OIDC_REFUSED', /access token was not accepted/],
      [401, 'OIDC_REFUSED', /access token was not accepted/],
      [400, 'OIDC_REFUSED', /shared with this project/],
      [403, 'OIDC_REFUSED', /shared with this project/],
      [203, 'OIDC_REFUSED', /status 203/],
      [404, 'OIDC_NOT_AVAILABLE', /\(404\)/],
      [429, 'THROTTLED', /429/],
      [500, 'SERVER_UNAVAILABLE', /status 500/],
      [503, 'SERVER_UNAVAILABLE', /status 503/],
    ] as const;
    for (const [status, code, expected] of rows) {
      const { result } = ask({ status, body: '<html>no</html>', headers: { activityid: 'act-1' } });
      const error = await failureOf(result, code);
      assert.match(error.message, expected);
      assert.match(error.message, /activityid act-1/);
      assert.doesNotMatch(error.message, /<html|job-access-token/);
    }
  });

  it('shows the service’s own sentence', async () => {
    const { result } = ask(json({ message: 'TF400813: The user is not authorized.\nStack…' }, 401));
    const error = await failureOf(result, 'OIDC_REFUSED');
    assert.match(error.message, /Why: TF400813: The user is not authorized\.\nNext/);
  });

  it('fails as the network fails', async () => {
    const { result } = ask(new TypeError('a fault of ours'));
    await assert.rejects(result, { name: 'TypeError' });
  });
});
