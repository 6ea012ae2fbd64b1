import assert from 'node:assert/strict';
import { toHttpHeadersLike, type WebResourceLike } from '@azure/core-http-compat';
import { createHttpHeaders } from '@azure/core-rest-pipeline';
import { ScopedTokenError } from '../../../src/errors.ts';
import { azureStorageHttpClient, type StorageExchange } from '../../../src/io/azure-storage-http-client.ts';
import { type Answer, FakeWorld } from '../steps/fake-world.ts';

const options = { peer: 'Azure Storage', allowedHosts: ['contoso.example'], clientRequestId: 'record-1' };
const url = 'https://contoso.example/path?a=b';

/** What the library asks for, and what becomes of it when the transport answers so. */
function exchange(answer: Answer, headers: Record<string, string>, body?: unknown) {
  const world = new FakeWorld([], () => answer);
  const seen: StorageExchange = {};
  const like = { url, method: 'PUT', headers: toHttpHeadersLike(createHttpHeaders(headers)), body };
  const request = like as unknown as WebResourceLike;
  return { world, seen, request, result: azureStorageHttpClient(world.http, options, seen).sendRequest(request) };
}

describe('the storage library', () => {
  it('talks through our transport, and sees the answer', async () => {
    const answer = { status: 201, headers: { 'x-one': 'a' }, body: 'text' };
    const { world, seen, request, result } = exchange(answer, { 'X-MS-Version': '2022-11-02' }, '<KeyInfo/>');
    const response = await result;
    assert.deepEqual([response.status, response.bodyAsText, response.headers.get('X-One')], [201, 'text', 'a']);
    assert.equal(response.request, request);
    assert.equal(seen.response?.body, 'text');
    const [sent] = world.requests;
    assert.deepEqual([sent?.method, sent?.url, sent?.body, sent?.peer], ['PUT', url, '<KeyInfo/>', 'Azure Storage']);
    assert.deepEqual(sent?.allowedHosts, ['contoso.example']);
    assert.equal(sent?.headers?.['x-ms-version'], '2022-11-02');
  });

  it('cannot choose another request id, a body that is no text, or a retry of its own', async () => {
    const { world, result } = exchange({}, { 'X-MS-Client-Request-Id': 'theirs' }, Buffer.from('x'));
    await result;
    const [sent] = world.requests;
    assert.deepEqual(sent?.headers, { 'x-ms-client-request-id': 'record-1' });
    assert.ok(!('body' in (sent ?? {})) && !('alsoRetry' in (sent ?? {})));
  });

  it('hides no failure from us', async () => {
    const failure = new ScopedTokenError('NETWORK_TLS', { happened: 'A.', next: 'B.' });
    const { seen, result } = exchange(failure, {});
    await assert.rejects(result, failure);
    assert.equal(seen.failure, failure);
    assert.equal(seen.response, undefined);
  });
});
