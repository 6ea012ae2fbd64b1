import assert from 'node:assert/strict';
import type { RunResult } from '../agent/run-result.ts';
import {
  assertClear,
  assertIssued,
  assertNothingSet,
  registryToken,
  runSteps,
  storageToken,
  tokenVariable,
} from './bad-run.ts';
import { curlLines, ledgersOf, type Step, scriptStep, statusesOf } from './pipelines.ts';
import { errorOf, labForSuite, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

/** Variables that change how Node, TLS or identity behave, with values that do no harm where they take effect. */
const hostile: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--no-deprecation',
  NODE_PATH: '/nowhere',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
  NODE_EXTRA_CA_CERTS: '/nowhere.pem',
  NODE_DEBUG: 'http',
  NODE_COMPILE_CACHE: '$(Agent.TempDirectory)/compiled',
  NODE_V8_COVERAGE: '$(Agent.TempDirectory)/coverage',
  SSL_CERT_FILE: '/nowhere.pem',
  SSL_CERT_DIR: '/nowhere',
  SSLKEYLOGFILE: '$(Agent.TempDirectory)/keys',
  OPENSSL_CONF: '/dev/null',
  OPENSSL_MODULES: '/nowhere',
  LD_PRELOAD: '/nowhere.so',
  LD_LIBRARY_PATH: '/nowhere',
  LD_AUDIT: '/nowhere.so',
  DYLD_INSERT_LIBRARIES: '/nowhere.dylib',
  HTTPS_PROXY: 'http://proxy.attacker.example:3128',
  http_proxy: 'http://proxy.attacker.example:3128',
  ALL_PROXY: 'http://proxy.attacker.example:3128',
  NO_PROXY: '*',
  DEBUG: '*',
  AZURE_AUTHORITY_HOST: 'https://login.attacker.example',
  AZURE_REGIONAL_AUTHORITY_NAME: 'attacker',
  AZURE_POD_IDENTITY_AUTHORITY_HOST: 'http://attacker.example',
  AZURE_FEDERATED_TOKEN_FILE: '/nowhere',
  AZURE_LOG_LEVEL: 'verbose',
  IDENTITY_ENDPOINT: 'http://attacker.example/token',
  IDENTITY_HEADER: 'header',
  MSI_ENDPOINT: 'http://attacker.example/token',
  IMDS_ENDPOINT: 'http://attacker.example',
  // What the agent itself says to a step: its inputs, its connections, what its earlier stages left.
  INPUT_SCOPES: 'pull,push on team/app',
  INPUT_AZURECONNECTION: '6f1c1f6e-3f55-4a0e-9a39-5b1f3a5c0a01',
  ENDPOINT_URL_SYSTEMVSSCONNECTION: 'https://dev.attacker.example/',
  ENDPOINT_AUTH_SYSTEMVSSCONNECTION: '{}',
  'ENDPOINT_DATA_6f1c1f6e-3f55-4a0e-9a39-5b1f3a5c0a02': '{}',
  VSTS_TASKVARIABLE_ScopedTokenFrozen: '{}',
  VSTS_TASKVARIABLE_ScopedTokenState: '[]',
  // Other spellings of what the agent makes the same name of.
  'node.options': '--no-deprecation',
  'Node Tls Reject Unauthorized': '0',
};

/** One clear error that names the variable; nobody was asked for anything. */
function assertEnvironmentRefused(run: RunResult, stage: 'pre' | 'main', name: string): void {
  const { code, message } = errorOf(stageOf(run, 'token', stage));
  assert.equal(code, 'ENVIRONMENT_REFUSED');
  assertClear(message);
  for (const phrase of [
    `The pipeline sets ${name}, which changes how this task's Node, TLS or identity works, or stands in the place of what the agent itself tells the step.`,
    'Why: a variable of the pipeline, or a step before this one, set it',
    'set it on the one step that needs it with env:',
  ]) {
    assert.ok(message.includes(phrase), `${phrase} in: ${message}`);
  }
  assertNothingSet(run);
  assert.deepEqual(run.requests, []);
  assert.deepEqual(ledgersOf(run), []);
  assert.equal(stageOf(run, 'token', 'post').result, 'Succeeded');
}

describe('variables that change how Node, TLS or identity behave', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  for (const [name, value] of Object.entries(hostile)) {
    it(`is refused when the pipeline has it: ${name}`, async () => {
      const run = await runSteps(suite.lab, [registryToken()], { variables: { [name]: value } });
      assertEnvironmentRefused(run, 'pre', name);
      assert.equal(stageOf(run, 'token').result, 'Skipped');
    });

    it(`is refused when an earlier step sets it: ${name}`, async () => {
      const set = scriptStep(`echo '##vso[task.setvariable variable=${name}]${value}'`);
      assertEnvironmentRefused(await runSteps(suite.lab, [set, registryToken()]), 'main', name);
    });
  }

  it('are refused together, each by its name', async () => {
    const variables = { NODE_OPTIONS: '--no-deprecation', HTTPS_PROXY: 'http://proxy.attacker.example:3128' };
    const run = await runSteps(suite.lab, [registryToken()], { variables });
    assert.match(errorOf(stageOf(run, 'token', 'pre')).message, /sets NODE_OPTIONS, HTTPS_PROXY, which/);
  });

  it('do no harm as a secret, which the environment has under another name', async () => {
    const value = 'http://proxy.attacker.example:3128/of-which-nobody-may-know';
    assertIssued(await runSteps(suite.lab, [registryToken()], { variables: { HTTPS_PROXY: { value, secret: true } } }));
  });

  it('may be set on the one step that needs them, with env:', async () => {
    const env = { NODE_OPTIONS: '--no-deprecation', NODE_EXTRA_CA_CERTS: suite.lab.caFile };
    assertIssued(await runSteps(suite.lab, [registryToken({}, { env })], { caInfo: false }));
  });
});

describe('the same names in the agent’s own environment', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  const run = (agentEnvironment: Readonly<Record<string, string>>, steps: readonly Step[] = [registryToken()]) =>
    runSteps(suite.lab, steps, { agentEnvironment });

  it('are honoured: options for Node', async () => {
    assertIssued(await run({ NODE_OPTIONS: '--no-deprecation --max-http-header-size=20000' }));
  });

  it('do not send a credential elsewhere', async () => {
    const issued = await run({
      AZURE_AUTHORITY_HOST: 'https://login.attacker.example',
      AZURE_REGIONAL_AUTHORITY_NAME: 'westeurope',
      IDENTITY_ENDPOINT: 'http://attacker.example/token',
      IDENTITY_HEADER: 'header',
    });
    assertIssued(issued);
    const hosts = new Set(issued.requests.map(({ host }) => host));
    assert.deepEqual([...hosts].sort(), ['contoso.azurecr.io', 'dev.azure.com', 'login.microsoftonline.com']);
  });

  // That nothing leaks is looked for in every run: these make Node and the libraries print what they do.
  for (const [title, environment, loud] of [
    ['of libraries', { DEBUG: '*', AZURE_LOG_LEVEL: 'verbose' }, /^azure:storage-blob/],
    ['of Node', { NODE_DEBUG: 'http,https,tls,net' }, /^HTTP \d+: /],
  ] as const) {
    it(`do not print what must stay secret: loud logs ${title}`, async () => {
      const issued = await run(environment, [storageToken()]);
      assertIssued(issued);
      assert.ok(
        issued.log.some((line) => loud.test(line)),
        'the logs are loud',
      );
    });
  }

  for (const certificate of ['untrusted', 'wrongName', 'expired'] as const) {
    it(`do not switch checks off: a certificate that is ${certificate}`, async () => {
      suite.lab.fault('proxy', ({ method, host }) =>
        method === 'CONNECT' && host === 'login.microsoftonline.com' ? { certificate } : undefined,
      );
      const failed = await run({ NODE_TLS_REJECT_UNAUTHORIZED: '0' });
      const sent = failed.requests.filter(({ server, method }) => server === 'proxy' && method !== 'CONNECT');
      assert.deepEqual(sent, [], 'an assertion was sent to a server that is not Microsoft Entra');
      assertNothingSet(failed);
      assert.equal(errorOf(stageOf(failed, 'token')).code, 'NETWORK_TLS');
    });
  }
});

describe('modules that were planted', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('in the working folder, its parents and the temp folder are not loaded', async () => {
    const names = [
      'azure-pipelines-task-lib',
      '@azure/identity',
      '@azure/storage-blob',
      'https-proxy-agent',
      'agent-base',
    ];
    const plant = scriptStep([
      'for folder in "$BUILD_SOURCESDIRECTORY" "$AGENT_BUILDDIRECTORY" "$AGENT_WORKFOLDER" "$AGENT_TEMPDIRECTORY"; do',
      `  for name in ${names.join(' ')}; do`,
      '    mkdir -p "$folder/node_modules/$name"',
      '    echo \'{"main":"index.js"}\' > "$folder/node_modules/$name/package.json"',
      "    echo \"require('fs').writeFileSync('$folder/LOADED', '')\" > \"$folder/node_modules/$name/index.js\"",
      '    cp "$folder/node_modules/$name/index.js" "$folder/node_modules/$name/task.js"',
      '  done',
      '  echo \'{"type":"commonjs","imports":{"#main":"./evil.js"}}\' > "$folder/package.json"',
      'done',
    ]);
    const look = scriptStep(
      [
        'for folder in "$BUILD_SOURCESDIRECTORY" "$AGENT_BUILDDIRECTORY" "$AGENT_WORKFOLDER" "$AGENT_TEMPDIRECTORY"; do',
        '  ls "$folder/node_modules/https-proxy-agent/index.js" > /dev/null && echo "planted"',
        '  test -e "$folder/LOADED" && echo "loaded"',
        'done',
        curlLines([{ label: 'declared', url: 'https://contosodata.blob.core.windows.net/logs/app.json?$SAS' }]),
      ],
      { SAS: `$(${tokenVariable})` },
    );
    const run = await runSteps(suite.lab, [plant, storageToken(), look]);
    assertIssued(run);
    assert.equal(run.log.filter((line) => line === 'planted').length, 4);
    assert.ok(!run.log.includes('loaded'));
    assert.deepEqual(statusesOf(run), { declared: 200 });
  });
});
