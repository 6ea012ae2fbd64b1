import assert from 'node:assert/strict';
import { networkFailure, proxyRefusal, timeoutFailure } from '../../../src/io/network-failure.ts';

const to = { peer: 'Microsoft Entra', host: 'login.microsoftonline.com' };
const proxied = { ...to, proxy: 'proxy.contoso.example:8080' };
const problem = (code: string, more: object = {}) => Object.assign(new Error(`private ${code}`), { code, ...more });

describe('network failures', () => {
  it('name what is not trusted', () => {
    const codes = ['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_SSL_WRONG_VERSION_NUMBER'];
    for (const code of codes) {
      const error = networkFailure(problem(code), proxied);
      assert.equal(error.code, 'NETWORK_TLS');
      assert.match(error.message, new RegExp(code));
      assert.match(error.message, /agent\.cainfo/);
      assert.match(error.message, /agent\.skipcertvalidation has no effect/);
    }
  });

  it('tell an old certificate and one for another host from one that nobody vouches for', () => {
    for (const [code, next] of [
      ['CERT_HAS_EXPIRED', /Check the clock/],
      ['CERT_NOT_YET_VALID', /Check the clock/],
      ['ERR_TLS_CERT_ALTNAME_INVALID', /for another host/],
    ] as const) {
      const error = networkFailure(problem(code), proxied);
      assert.equal(error.code, 'NETWORK_TLS');
      assert.match(error.message, new RegExp(code));
      assert.match(error.message, next);
      assert.match(error.message, /agent\.skipcertvalidation has no effect/);
      assert.doesNotMatch(error.message, /agent\.cainfo/);
    }
  });

  it('name what could not be resolved', () => {
    for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
      const error = networkFailure(problem(code, { syscall: 'getaddrinfo', hostname: to.host }), to);
      assert.equal(error.code, 'NETWORK_NAME');
      assert.match(error.message, /login\.microsoftonline\.com/);
    }
  });

  it('name the proxy where it is the proxy that cannot be reached', () => {
    const causes = [
      problem('ENOTFOUND', { syscall: 'getaddrinfo', hostname: 'proxy.contoso.example' }),
      problem('ECONNREFUSED', { syscall: 'connect', address: '192.0.2.1', port: 8080 }),
    ];
    for (const cause of causes) {
      const error = networkFailure(cause, proxied);
      assert.equal(error.code, 'PROXY_FAILED');
      assert.match(error.message, /proxy\.contoso\.example:8080/);
      assert.equal(networkFailure(cause, to).code === 'PROXY_FAILED', false, 'without a proxy none is blamed');
    }
    const name = problem('ENOTFOUND', { syscall: 'getaddrinfo', hostname: to.host });
    assert.equal(networkFailure(name, proxied).code, 'NETWORK_NAME');
  });

  it('are NETWORK_FAILED with the code otherwise, found in causes and in lists of errors', () => {
    const nested = new Error('outer', { cause: problem('ECONNRESET') });
    const several = new AggregateError([problem('ETIMEDOUT'), problem('ENETUNREACH')]);
    assert.match(networkFailure(problem('ECONNRESET'), to).message, /failed with ECONNRESET/);
    assert.match(networkFailure(nested, proxied).message, /ECONNRESET[\s\S]*through the proxy/);
    assert.match(networkFailure(several, to).message, /ETIMEDOUT/);
    for (const odd of [undefined, null, 'text', 7, new Error('private'), new AggregateError([])]) {
      const error = networkFailure(odd, proxied);
      assert.equal(error.code, 'NETWORK_FAILED');
      assert.equal(error.cause, odd);
      assert.doesNotMatch(error.message, /private|undefined/);
    }
  });

  it('say how long nothing came, and by which way', () => {
    const direct = timeoutFailure(to, 10_000);
    assert.equal(direct.code, 'NETWORK_TIMEOUT');
    assert.match(direct.message, /within 10 s[\s\S]*without a proxy/);
    assert.match(timeoutFailure(proxied, 10_000).message, /through the proxy proxy\.contoso\.example:8080/);
  });

  it('tell a proxy that wants other credentials from one that refuses the host', () => {
    assert.equal(proxyRefusal(407, proxied).code, 'PROXY_AUTHENTICATION');
    assert.match(proxyRefusal(407, proxied).message, /--proxyusername/);
    for (const status of [403, 502, 302]) {
      assert.equal(proxyRefusal(status, proxied).code, 'PROXY_REFUSED');
      assert.match(proxyRefusal(status, proxied).message, new RegExp(`status ${status}`));
    }
  });
});
