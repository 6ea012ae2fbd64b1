import assert from 'node:assert/strict';
import { environmentName } from '../../agent/environment.ts';
import { chooseHandler, parseTaskDefinition } from '../../agent/task-definition.ts';
import { connectionId, runProbe, runTimeoutMilliseconds, says } from './fake-extension.ts';
import { FakeJobServer } from './fake-job-server.ts';

const dump =
  "console.log('DUMP' + Buffer.from(JSON.stringify({ env: process.env, cwd: process.cwd(), argv: process.argv })).toString('hex'));";
interface Dump {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly argv: readonly string[];
}

function dumps(log: readonly string[]): Dump[] {
  return log
    .filter((line) => line.startsWith('DUMP'))
    .map((line) => JSON.parse(Buffer.from(line.slice(4), 'hex').toString('utf8')) as Dump);
}

const inputs = [
  { name: 'azureConnection', type: 'connectedService:AzureRM', label: 'c' },
  { name: 'text', type: 'string', label: 't' },
  { name: 'flag', type: 'boolean', label: 'f', defaultValue: true },
  { name: 'file', type: 'filePath', label: 'p' },
  { name: 'lines', type: 'multiLine', label: 'l' },
];

async function taskDump(options: Parameters<typeof runProbe>[0] = {}): Promise<Dump> {
  const pipeline = `
steps:
- task: Probe@1
  inputs:
    azureConnection: production
    text: "  $(plain)/$(hidden)/$(HOME)/$(nothing) "
    lines: |
      one
      two
  env: { MAPPED: " $(System.AccessToken) ", INPUT_TEXT: overwritten }
`;
  const variables = { plain: '$(build.buildId) ', hidden: { value: 'hidden-value', secret: true as const } };
  const { log } = await runProbe({ task: { main: dump, json: { inputs } }, pipeline, variables, ...options });
  const [first] = dumps(log);
  assert.ok(first, log.join('\n'));
  return first;
}

describe('environment of a task', () => {
  it('changes dots and blanks of a name, and nothing else', () => {
    assert.equal(environmentName('agent.temp Directory-x'), 'AGENT_TEMP_DIRECTORY-X');
    assert.equal(environmentName('My.Name', true), 'My_Name');
  });

  it('holds inputs, expanded in two passes, and the empty ones too', async () => {
    const { env } = await taskDump();
    assert.equal(env['INPUT_TEXT'], `4711 /hidden-value/${env['HOME']}/$(nothing)`);
    assert.equal(env['INPUT_FLAG'], 'true');
    assert.equal(env['INPUT_LINES'], 'one\ntwo');
    assert.equal(env['INPUT_FILE'], env['BUILD_SOURCESDIRECTORY']);
    assert.equal(env['INPUT_AZURECONNECTION'], connectionId);
  });

  it('holds public variables by their name, secret ones apart, and both lists', async () => {
    const { env } = await taskDump();
    const server = new FakeJobServer();
    assert.equal(env['SYSTEM_COLLECTIONURI'], server.collectionUri);
    assert.match(env['SYSTEM_OIDCREQUESTURI'] ?? '', /\/oidctoken$/);
    assert.equal(env['AGENT_JOBSTATUS'], 'Succeeded');
    assert.equal(env['agent.jobStatus'], 'Succeeded');
    assert.equal(env['SECRET_HIDDEN'], 'hidden-value');
    assert.equal(env['HIDDEN'], undefined);
    assert.equal(env['SECRET_SYSTEM_ACCESSTOKEN'], server.accessToken);
    assert.equal(env['SYSTEM_ACCESSTOKEN'], undefined);
    assert.equal(env['MAPPED'], server.accessToken);
    const secrets = JSON.parse(env['VSTS_SECRET_VARIABLES'] ?? '') as string[];
    assert.deepEqual(secrets.sort(), ['agent.proxypassword', 'hidden', 'system.accessToken']);
    assert.ok((JSON.parse(env['VSTS_PUBLIC_VARIABLES'] ?? '') as string[]).includes('plain'));
  });

  it('holds the connection it names and the system connection, no other', async () => {
    const { env } = await taskDump();
    assert.equal(env[`ENDPOINT_AUTH_SCHEME_${connectionId}`], 'WorkloadIdentityFederation');
    assert.equal(env[`ENDPOINT_AUTH_PARAMETER_${connectionId}_TENANTID`], '0f8fad5b-d9cb-469f-a165-70867728950e');
    assert.equal(env[`ENDPOINT_DATA_${connectionId}_SUBSCRIPTION_ID`], '42');
    assert.deepEqual(JSON.parse(env[`ENDPOINT_DATA_${connectionId}`] ?? ''), {
      environment: 'AzureCloud',
      'subscription id': '42',
    });
    assert.equal(env['ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN'], new FakeJobServer().accessToken);
    assert.equal(env['ENDPOINT_DATA_SYSTEMVSSCONNECTION'], undefined);
    const unnamed = await runProbe({ task: { main: dump } });
    assert.deepEqual(
      Object.keys(dumps(unnamed.log)[0]?.env ?? {}).filter((name) => name.includes(connectionId)),
      [],
    );
  });

  it('brings the proxy and the authority as settings of the agent, never as variables of Node or curl', async () => {
    const { env } = await taskDump();
    const server = new FakeJobServer();
    assert.equal(env['AGENT_PROXYURL'], server.proxy.url);
    assert.equal(env['AGENT_PROXYUSERNAME'], server.proxy.username);
    assert.equal(env['SECRET_AGENT_PROXYPASSWORD'], server.proxy.password);
    assert.equal(env['AGENT_CAINFO'], server.caFile);
    const foreign = Object.keys(env).filter((name) => /^(https?_proxy|NODE_.*|SSL_CERT.*|npm_.*)$/i.test(name));
    assert.deepEqual(foreign, []);
    const without = await taskDump({ proxy: false, caInfo: false });
    assert.equal(without.env['AGENT_PROXYURL'], undefined);
    assert.equal(without.env['SECRET_AGENT_PROXYPASSWORD'], undefined);
    assert.equal(without.env['AGENT_CAINFO'], undefined);
  });

  it('takes in what the administrator set for the agent, and nothing of this process', async () => {
    process.env['DEVELOPERS_OWN'] = 'yes';
    try {
      const { env } = await taskDump({ agentEnvironment: { NODE_EXTRA_CA_CERTS: '/etc/contoso/extra.pem' } });
      assert.equal(env['NODE_EXTRA_CA_CERTS'], '/etc/contoso/extra.pem');
      assert.equal(env['DEVELOPERS_OWN'], undefined);
      assert.equal(env['TF_BUILD'], 'True');
    } finally {
      delete process.env['DEVELOPERS_OWN'];
    }
  });

  it('starts in the sources, with the task file as its only argument and a closed input', async () => {
    const { env, cwd, argv } = await taskDump();
    assert.equal(cwd, env['SYSTEM_DEFAULTWORKINGDIRECTORY']);
    assert.equal(argv.length, 2);
    assert.match(argv[1] ?? '', /_work\/_tasks\/Probe_b7e23ec2-[0-9a-f-]+\/1\.2\.3\/main\.mjs$/);
    const main = "process.stdin.on('data', () => {}).on('end', () => console.log('input ended'));";
    assert.ok((await runProbe({ task: { main } })).log.includes('input ended'));
  });

  it('leaves a shell without what task-lib takes out, and gives it the machine routing', async () => {
    const pipeline =
      'steps:\n- bash: env | grep -E "^(SECRET|ENDPOINT|VSTS|ROUTE|SYSTEM_PLANID|MAPPED)" || true\n  env: { MAPPED: $(hidden) }\n';
    const variables = { hidden: { value: 'hidden-value', secret: true as const } };
    const { log } = await runProbe({ pipeline, variables, scriptEnvironment: { ROUTE: 'by proxy' } });
    const names = log.filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split('=')[0]);
    assert.deepEqual(names.sort(), [
      'ENDPOINT_URL_SYSTEMVSSCONNECTION',
      'MAPPED',
      'ROUTE',
      'SYSTEM_PLANID',
      'VSTS_PROCESS_LOOKUP_ID',
    ]);
    assert.ok(log.includes('MAPPED=***'));
    assert.equal((await taskDump({ scriptEnvironment: { ROUTE: 'by proxy' } })).env['ROUTE'], undefined);
  });

  it('prepends folders in reverse order of their commands, each once', async () => {
    const pipeline = 'steps:\n- task: Probe@1\n- bash: echo "PATH is $PATH"\n';
    const main = says(...['/a', '/b', '/a'].map((folder) => `##vso[task.prependpath]${folder}`));
    const { log } = await runProbe({ task: { main }, pipeline });
    assert.ok(
      log.some((line) => line.startsWith('PATH is /a:/b:')),
      log.join('\n'),
    );
  });

  it('takes commands out of texts that other people wrote', async () => {
    const main = "console.log('subject ' + process.env.BUILD_SOURCEVERSIONMESSAGE);";
    const variables = { 'Build.SourceVersionMessage': '##vso[task.setvariable variable=x]y' };
    const { log } = await runProbe({ task: { main }, variables });
    assert.ok(log.includes('subject **vso[task.setvariable variable=x]y'));
  });
}).timeout(runTimeoutMilliseconds);

describe('handler choice', () => {
  const definition = (handlers: Readonly<Record<string, unknown>>) =>
    parseTaskDefinition(JSON.stringify({ name: 'x', version: {}, execution: handlers }));

  it('prefers the newest Node, whatever the order', () => {
    const chosen = chooseHandler(
      definition({ Node16: { target: 'a' }, Node20_1: { target: 'b' }, Node24: { target: 'c' } }),
      'main',
    );
    assert.deepEqual(chosen, { kind: 'Node24', target: 'c' });
  });

  it('ignores handlers that it does not know, and shells of Windows', () => {
    assert.equal(
      chooseHandler(definition({ Node20: { target: 'a' }, PowerShell3: { target: 'b' } }), 'main'),
      undefined,
    );
  });
}).timeout(runTimeoutMilliseconds);
