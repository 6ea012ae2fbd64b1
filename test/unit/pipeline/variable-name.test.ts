import assert from 'node:assert/strict';
import { variableNameMistake, variableNameRule } from '../../../src/pipeline/variable-name.ts';

describe('the rule for the variable to set', () => {
  it('takes letters, digits, underscores and dots', () => {
    const names = [
      'SCOPED_TOKEN',
      'a',
      'Z9',
      'my.token',
      'AWS',
      `a${'b'.repeat(127)}`,
      'AGENTX',
      'MYPATH',
      'constructor',
    ];
    for (const name of names) assert.equal(variableNameMistake(name), undefined, name);
  });

  it('takes no other form, and says the rule', () => {
    const names = [
      '',
      ' ',
      '1a',
      '_a',
      '.a',
      'a-b',
      'a b',
      'ä',
      'a\n',
      'a]b',
      'a;b',
      '$(x)',
      'a=b',
      '__proto__',
      `a${'b'.repeat(128)}`,
      'a\u0000',
    ];
    for (const name of names) {
      const mistake = variableNameMistake(name);
      assert.equal(mistake, `is not a variable name here: ${variableNameRule}`, JSON.stringify(name));
    }
  });

  it('takes no name that the agent, a shell, a loader or a runtime reads, however it is written', () => {
    const names = [
      'PATH',
      'Path',
      'System.AccessToken',
      'SYSTEM_ACCESSTOKEN',
      'build.buildid',
      'Agent.TempDirectory',
      'AGENT_PROXYPASSWORD',
      'SECRET_X',
      'ENDPOINT_AUTH_X',
      'INPUT_SCOPES',
      'VSTS_PUBLIC_VARIABLES',
      'TF_BUILD',
      'NODE_OPTIONS',
      'node.options',
      'HTTP_PROXY',
      'my.proxy',
      'LD_PRELOAD',
      'DYLD_INSERT_LIBRARIES',
      'BASH_ENV',
      'IFS',
      'PYTHONPATH',
      'PERL5LIB',
      'RUBYOPT',
      'GIT_SSH_COMMAND',
      'DOCKER_HOST',
      'SSL_CERT_FILE',
      'AZURE_AUTHORITY_HOST',
      'IDENTITY_ENDPOINT',
      'MSI_SECRET',
      'npm.config.registry',
    ];
    for (const name of names)
      assert.match(variableNameMistake(name) ?? '', /^is a name that the agent, a shell or a runtime reads; /, name);
  });
});
