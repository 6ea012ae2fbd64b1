import assert from 'node:assert/strict';
import { mangledName, refusalLines, refusedVariables } from '../../../src/pipeline/environment-guard.ts';

const listed = (...names: unknown[]) => refusedVariables({ VSTS_PUBLIC_VARIABLES: JSON.stringify(names) });

describe('the environment guard', () => {
  it('refuses pipeline variables that change how Node, TLS or identity behave', () => {
    const names = [
      'NODE_OPTIONS',
      'NODE_PATH',
      'NODE_TLS_REJECT_UNAUTHORIZED',
      'NODE_EXTRA_CA_CERTS',
      'SSL_CERT_FILE',
      'SSL_CERT_DIR',
      'OPENSSL_CONF',
      'LD_PRELOAD',
      'HTTPS_PROXY',
      'NO_PROXY',
      'AZURE_AUTHORITY_HOST',
      'AZURE_POD_IDENTITY_AUTHORITY_HOST',
      'AZURE_FEDERATED_TOKEN_FILE',
      'IDENTITY_ENDPOINT',
      'IDENTITY_HEADER',
      'MSI_ENDPOINT',
      'MSI_SECRET',
      'IMDS_ENDPOINT',
    ];
    assert.deepEqual(listed(...names), names);
  });

  it('compares names as the agent mangles them, and returns them as the pipeline wrote them', () => {
    const names = ['node.options', 'Node Options', 'https_proxy', 'ld.preload', 'msi.Endpoint', 'ssl cert file'];
    assert.deepEqual(listed(...names), names);
  });

  it('lets everything else pass', () => {
    const names = [
      'PATH',
      'MY_NODE_OPTIONS',
      'NODE_OPTIONS_2',
      'PROXY',
      'proxy_url',
      'XIDENTITY_X',
      'Build.Reason',
      '',
    ];
    assert.deepEqual(listed(...names), []);
    assert.deepEqual(listed('__proto__', 'constructor'), []);
  });

  it('does not mind the same names in the environment of the agent itself', () => {
    const environment = {
      NODE_OPTIONS: '--x',
      HTTPS_PROXY: 'http://proxy.contoso.example',
      VSTS_PUBLIC_VARIABLES: '["Build.Reason"]',
    };
    assert.deepEqual(refusedVariables(environment), []);
  });

  it('refuses a list that cannot be read, or is not there', () => {
    assert.equal(refusedVariables({ NODE_OPTIONS: '--x' }), undefined);
    for (const list of ['', '{', '{}', 'null', '1', '"NODE_OPTIONS"', 'NODE_OPTIONS']) {
      assert.equal(refusedVariables({ VSTS_PUBLIC_VARIABLES: list }), undefined, list);
    }
  });

  it('reads past what is no name in a list', () => {
    assert.deepEqual(listed(null, 1, ['NODE_PATH'], 'NODE_PATH'), ['NODE_PATH']);
  });

  it('reads a long list and long names', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => `Variable.${index}`);
    assert.deepEqual(listed(...many, 'DEBUG'), ['DEBUG']);
    assert.deepEqual(listed('_'.repeat(200_000)), []);
  });

  it('mangles as the agent does', () => {
    assert.equal(mangledName('a.b c-d.é'), 'A_B_C-D_É');
  });

  it('ends the step with two commands, whatever the names are', () => {
    const hostile = 'NODE_\r\n##vso[task.setvariable variable=x]y%0A;]PROXY';
    for (const names of [['NODE_OPTIONS', hostile], undefined]) {
      const lines = refusalLines(names);
      assert.equal(lines.length, 2);
      assert.match(
        lines[0] ?? '',
        /^##vso\[task\.logissue type=error;code=ENVIRONMENT_REFUSED;\]ENVIRONMENT_REFUSED: /,
      );
      assert.equal(lines[1], '##vso[task.complete result=Failed;]ENVIRONMENT_REFUSED');
      assert.match(lines[0] ?? '', /%0AWhy: .*%0ANext: /);
      for (const line of lines) {
        assert.doesNotMatch(line, /[\r\n]/);
        assert.equal(line.split('##vso[').length, 2, 'one command a line');
      }
    }
    assert.match(refusalLines(['NODE_OPTIONS'])[0] ?? '', /sets NODE_OPTIONS, which/);
  });

  it('refuses what stands for the agent’s own word: inputs of this task, connections, task variables', () => {
    const names = [
      'VSTS_TASKVARIABLE_ScopedTokenFrozen',
      'vsts.taskvariable.scopedtokenstate',
      'input.scopes',
      'ENDPOINT_URL_SYSTEMVSSCONNECTION',
    ];
    assert.deepEqual(listed(...names, 'INPUT_OTHER', 'endpoint'), names);
  });
});
