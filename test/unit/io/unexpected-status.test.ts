import assert from 'node:assert/strict';
import type { HttpResponse } from '../../../src/io/http.ts';
import {
  badAnswer,
  jsonObject,
  outage,
  providerSentence,
  requestIds,
  shapeOf,
} from '../../../src/io/unexpected-status.ts';

const answer = (status: number, body = '', headers: Record<string, string> = {}, attempts = 1): HttpResponse => ({
  status,
  body,
  headers,
  attempts,
});

describe('answers that were not expected', () => {
  it('are an outage for 429, 408 and 5xx only', () => {
    assert.equal(outage('peer', answer(429))?.code, 'THROTTLED');
    for (const status of [408, 500, 502, 503, 599]) {
      assert.equal(outage('peer', answer(status))?.code, 'SERVER_UNAVAILABLE');
    }
    for (const status of [200, 301, 400, 401, 403, 404]) assert.equal(outage('peer', answer(status)), undefined);
  });

  it('say how often was asked, and what wait was asked for', () => {
    const error = outage('The registry', answer(429, '', { 'retry-after': '3600' }, 4));
    assert.match(error?.message ?? '', /The registry answered.*after 4 tries[\s\S]*Retry-After 3600/);
    assert.match(outage('peer', answer(503))?.message ?? '', /after one try/);
    assert.doesNotMatch(outage('peer', answer(429))?.message ?? '', /Retry-After/);
  });

  it('show status, type and length, never the text', () => {
    const html = answer(200, '<html>token=abc</html>', { 'content-type': 'text/html; charset=utf-8' });
    assert.equal(shapeOf(html), 'status 200, content type text/html; charset=utf-8, 22 characters');
    assert.equal(shapeOf(answer(204)), 'status 204, no content type, an empty body');
  });

  it('let no command, markup or long text through in a header', () => {
    const hostile = { 'content-type': `##vso[task.complete]<b>\n${'x'.repeat(500)}`, 'retry-after': '##vso[a]b\r\n' };
    assert.doesNotMatch(shapeOf(answer(200, '', hostile)), /[#[\]<>\n]/);
    assert.ok(shapeOf(answer(200, '', hostile)).length < 150);
    assert.doesNotMatch(outage('peer', answer(429, '', hostile))?.message ?? '', /##|\[/);
  });

  it('give the ids of the services, and only such as look like ids', () => {
    const headers = {
      'x-ms-request-id': 'a1b2-c3',
      activityid: '##vso[task.complete]',
      'x-vss-e2eid': 'x'.repeat(201),
      'x-msedge-ref': 'Ref A: 12 Ref B: 34',
      'x-ms-correlation-request-id': '',
      authorization: 'Bearer abc',
    };
    assert.deepEqual(requestIds(answer(200, '', headers)), {
      'x-ms-request-id': 'a1b2-c3',
      'x-msedge-ref': 'Ref A: 12 Ref B: 34',
    });
  });

  it('are JSON objects or nothing', () => {
    assert.deepEqual(jsonObject(answer(200, '{"a":1}')), { a: 1 });
    for (const body of ['', '[]', 'null', '1', '"a"', '{', '<html>']) {
      assert.equal(jsonObject(answer(200, body)), undefined, body);
    }
    const polluted = jsonObject(answer(200, '{"__proto__":{"oidcToken":"evil"}}'));
    assert.equal(polluted?.['oidcToken'], undefined);
    assert.equal(({} as Record<string, unknown>)['oidcToken'], undefined);
  });

  it('speak one short line, and no markup', () => {
    assert.equal(providerSentence('AADSTS1: no.\r\nTrace ID: 1'), 'AADSTS1: no.');
    assert.equal(providerSentence('x'.repeat(1_000))?.length, 400);
    for (const text of ['<html>', 'a <b>c', 'a </b', 'a <!-- b', '', '\n\nlater', 7, null, undefined, {}]) {
      assert.equal(providerSentence(text), undefined);
    }
    assert.equal(providerSentence('1 < 2 and 3 > 2'), '1 < 2 and 3 > 2');
  });

  it('are an error with the given code and the ids', () => {
    const error = badAnswer(
      'OIDC_BAD_ANSWER',
      'the route',
      answer(203, '<html>', { 'x-ms-request-id': 'r-1' }),
      'Run again.',
    );
    assert.equal(error.code, 'OIDC_BAD_ANSWER');
    assert.equal(
      error.message,
      'OIDC_BAD_ANSWER: the route gave an answer that is not understood: status 203, no content type, 6 characters.\nNext: Run again.\nFor support: HTTP 203, x-ms-request-id r-1',
    );
  });
});
