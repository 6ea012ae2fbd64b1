import assert from 'node:assert/strict';
import { runInAgent } from './agent-process.ts';

const id = '66666666-6666-4666-8666-666666666666';

describe('the Azure Pipelines job', () => {
  it('gives inputs and variables, trimmed, and nothing where they are empty', async () => {
    const { said } = await runInAgent(`
      for (const name of ['target', 'scopes', 'purpose', 'absent']) say(pipeline.input(name));
      for (const name of ['System.JobId', 'system.jobid', 'absent']) say(pipeline.variable(name));`);
    assert.deepEqual(said, ['storage', 'read on logs\nlist on logs', null, null, 'job-1', 'job-1', null]);
  });

  it('keeps secret variables apart; names compare without case', async () => {
    const { said } = await runInAgent(`
      for (const name of ['Agent.ProxyPassword', 'AGENT.PROXYPASSWORD', 'My.Secret', 'empty', 'System.JobId', 'absent']) {
        say([pipeline.variable(name), pipeline.hasSecretVariable(name), pipeline.secretVariable(name)?.reveal()]);
      }`);
    assert.deepEqual(said, [
      [null, true, 'hunter2-proxy'],
      [null, true, 'hunter2-proxy'],
      [null, true, 'my-secret-value'],
      [null, true, null],
      ['job-1', false, null],
      [null, false, null],
    ]);
  });

  it('hands over a connection with keys in lower case, and no way to a prototype', async () => {
    const { said } = await runInAgent(`
      const connection = pipeline.connection('${id}');
      const parameters = Object.entries(connection.parameters).map(([key, secret]) => [key, secret.reveal()]);
      say([connection.id, connection.url, connection.scheme, parameters, Object.entries(connection.data), String(connection.parameters.tenantid)]);
      say(({}).p === undefined);
      say(pipeline.connection('absent'));`);
    assert.deepEqual(said, [
      [
        id,
        'https://management.azure.com/',
        'WorkloadIdentityFederation',
        [
          ['tenantid', 't'],
          ['serviceprincipalid', 'c'],
          ['__proto__', 'p'],
          ['none', ''],
        ],
        [
          ['environment', 'AzureCloud'],
          ['count', '1'],
          ['none', ''],
          ['__proto__', 'p'],
        ],
        '[secret]',
      ],
      true,
      null,
    ]);
  });

  it('takes a connection without data, address, scheme or parameters', async () => {
    const { said } = await runInAgent(
      `const { url, scheme, parameters, data } = pipeline.connection('bare'); say({ url, scheme, parameters, data });
       const other = pipeline.connection('odd'); say(other.data);`,
      { ENDPOINT_AUTH_bare: '{}', ENDPOINT_AUTH_odd: '{"scheme":"None"}', ENDPOINT_DATA_odd: 'null' },
    );
    assert.deepEqual(said, [{ url: '', scheme: '', parameters: {}, data: {} }, {}]);
  });

  it('knows the collection and the token of the job', async () => {
    const body = `const system = pipeline.systemConnection(); say([system?.url, system?.accessToken.reveal()]);`;
    assert.deepEqual((await runInAgent(body)).said, [['https://dev.azure.com/contoso/', 'job-access-token']]);
    const none = await runInAgent(body, { ENDPOINT_AUTH_SYSTEMVSSCONNECTION: '{"parameters":{}}' });
    assert.deepEqual(none.said, [[null, null]]);
    const missing = await runInAgent(body, { ENDPOINT_URL_SYSTEMVSSCONNECTION: '' });
    assert.deepEqual(missing.said, [[null, null]]);
  });

  it('leaves no secret in the environment for a child of it', async () => {
    const { said } = await runInAgent(
      `say(Object.values(process.env).filter((value) => /hunter2|my-secret|job-access/.test(value)));`,
    );
    assert.deepEqual(said, [[]]);
  });

  it('carries secrets from stage to stage', async () => {
    const environment = { VSTS_TASKVARIABLE_SCOPEDTOKENSTATE: 'state-1' };
    const { said, lines } = await runInAgent(
      `say(pipeline.taskVariable('ScopedTokenState')?.reveal()); say(pipeline.taskVariable('absent'));
       pipeline.setTaskVariable('ScopedTokenState', '{"a":"%]"}');`,
      environment,
    );
    assert.deepEqual(said, ['state-1', null]);
    assert.deepEqual(lines, ['##vso[task.settaskvariable variable=ScopedTokenState;issecret=true;]{"a":"%AZP25]"}']);
  });

  it('registers a value with the masker once, before a variable is set with it', async () => {
    const { lines, said } = await runInAgent(`
      const value = new Secret('eyJ-token');
      pipeline.mask(value); pipeline.mask(new Secret('eyJ-token'));
      pipeline.setSecretVariable('SCOPED_TOKEN', value);
      say(pipeline.secrets());`);
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? '', /^##vso\[task\.setsecret\]eyJ-token$/i);
    assert.match(
      lines[1] ?? '',
      /^##vso\[task\.setvariable variable=SCOPED_TOKEN;isOutput=false;issecret=true;\]eyJ-token$/i,
    );
    assert.deepEqual(said, [['eyJ-token', 'hunter2-proxy', 'my-secret-value', 'job-access-token']]);
  });

  it('sets outputs that are no commands', async () => {
    const { lines } = await runInAgent(`pipeline.setOutput('grantedScopes', 'read on a\\n##vso[task.complete]');`);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /^##vso\[task\.setvariable variable=grantedScopes;isOutput=true;issecret=false;\]read on a # # vso\[task\.complete\]$/i,
    );
  });

  it('prints nothing that could be a command', async () => {
    const hostile = JSON.stringify('x\r\n##vso[task.setvariable variable=a]b\n##[error]c');
    const { lines } = await runInAgent(`
      pipeline.info(${hostile});
      pipeline.group(${hostile}, [${hostile}, 'plain']);
      pipeline.debug(${hostile});
      pipeline.warning('CODE', ${hostile});
      pipeline.attach('type', 'a;b]c', '/agent/_temp/x%y');
      pipeline.succeed();`);
    assert.deepEqual(lines.slice(0, 3), ['x', '# # vso[task.setvariable variable=a]b', '# # [error]c']);
    assert.equal(lines[3], '##[group]x # # vso[task.setvariable variable=a]b # # [error]c');
    assert.equal(lines[8], '##[endgroup]');
    const commands = lines.filter((line) => /##vso\[/i.test(line)).map((line) => line.replace(/\].*$/, ']'));
    assert.deepEqual(commands, [
      '##vso[task.logissue type=warning;code=CODE;]',
      '##vso[task.addattachment type=type;name=a%3Bb%5Dc;]',
      '##vso[task.complete result=Succeeded;]',
    ]);
    const warning = lines.find((line) => line.includes('logissue'));
    assert.match(warning ?? '', /\]CODE: x%0A# # vso\[task\.setvariable variable=a\]b%0A# # \[error\]c$/);
  });

  it('ends as failed, with one error, and takes secrets out of what it says', async () => {
    const { lines } = await runInAgent(`
      pipeline.mask(new Secret('sig=abc%2Fdef'));
      const text = { happened: 'It said sig=abc%2Fdef and my-secret-value and job-access-token.', next: 'Run\\nagain.' };
      pipeline.warning('CODE', 'hunter2-proxy');
      pipeline.fail(new ScopedTokenError('TARGET_DENIED', text));`);
    const [, warning, error, complete] = lines;
    assert.equal(lines.length, 4);
    assert.match(warning ?? '', /CODE: \[secret\]$/);
    assert.equal(
      error,
      '##vso[task.logissue type=error;code=TARGET_DENIED;]TARGET_DENIED: It said [secret] and [secret] and [secret].%0ANext: Run%0Aagain.',
    );
    assert.equal(complete, '##vso[task.complete result=Failed;]TARGET_DENIED');
  });

  it('does not blot out short values of secret variables', async () => {
    const { lines } = await runInAgent(`pipeline.warning('CODE', 'one of 1 on');`, {
      VSTS_SECRET_VARIABLES: '["a","b"]',
      SECRET_A: '1',
      SECRET_B: 'on',
    });
    assert.match(lines[0] ?? '', /CODE: one of 1 on$/);
  });

  it('takes out secrets that are parts of others, in whatever order they came', async () => {
    const environment = { VSTS_SECRET_VARIABLES: '["a","b"]', SECRET_A: 'abcd1234', SECRET_B: 'abcd1234-efgh5678' };
    const { lines } = await runInAgent(
      `pipeline.warning('CODE', 'it was abcd1234-efgh5678, and xabcd1234');`,
      environment,
    );
    assert.match(lines[0] ?? '', /CODE: it was \[secret\], and x\[secret\]$/);
  });

  it('has no secret variables where the agent lists none', async () => {
    const body = `say(pipeline.hasSecretVariable('a')); say(pipeline.secrets());`;
    for (const list of ['', '[]']) {
      const { said } = await runInAgent(body, { VSTS_SECRET_VARIABLES: list, ENDPOINT_AUTH_SYSTEMVSSCONNECTION: '' });
      assert.deepEqual(said, [false, []], list);
    }
  });

  it('sets no value of several lines as a secret, because only its lines would be masked', async () => {
    const { said, lines } = await runInAgent(`
      for (const act of ['mask', 'setSecretVariable']) {
        try {
          if (act === 'mask') pipeline.mask(new Secret('first\\nsecond'));
          else pipeline.setSecretVariable('NAME', new Secret('first\\nsecond'));
          say('no error');
        } catch (error) { say(/first|second/.test(String(error.stack))); }
      }`);
    assert.deepEqual(said, [false, false]);
    assert.deepEqual(lines, []);
  });
});
