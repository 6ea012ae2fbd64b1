import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { PipelineRefused } from '../../agent/refusal.ts';
import { runPipeline } from '../../agent/run-pipeline.ts';
import {
  connection,
  connectionId,
  extensionFiles,
  type FakeTask,
  runProbe,
  runTimeoutMilliseconds,
  says,
  stepOf,
} from './fake-extension.ts';
import { FakeJobServer } from './fake-job-server.ts';

const inputs = [
  {
    name: 'azureConnection',
    aliases: ['azureSubscription'],
    type: 'connectedService:AzureRM',
    label: 'c',
    required: false,
  },
  { name: 'target', type: 'string', label: 't', defaultValue: ' storage ' },
  { name: 'scopes', type: 'multiLine', label: 's', required: true, visibleRule: 'target != none' },
];
const echo = (...names: string[]) =>
  names
    .map((name) => `console.log(${JSON.stringify(name)} + '=' + JSON.stringify(process.env[${JSON.stringify(name)}]));`)
    .join('\n');

/** A zip archive of deflated texts: local headers, central directory, end record (APPNOTE 4.3). */
function zip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const data = deflateRawSync(text);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc32(text), 10);
    shared.writeUInt32LE(data.length, 14);
    shared.writeUInt32LE(Buffer.byteLength(text), 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const at = Buffer.alloc(4);
    at.writeUInt32LE(offset);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name), data]);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), shared, Buffer.alloc(10), at, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

async function refusal(pipeline: string, options: Parameters<typeof runProbe>[0] = {}): Promise<string> {
  const server = new FakeJobServer();
  const error = await runProbe({ task: { main: '', json: { inputs } }, server, pipeline, ...options }).then(
    () => assert.fail('the run was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof PipelineRefused);
  assert.equal(server.jobs.length, 0, 'the job was registered all the same');
  return error.mistakes.join('\n');
}

describe('what the server does before a job', () => {
  it('takes a .vsix, and of it the tasks that its manifest contributes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vsix-'));
    const manifest = { contributions: [{ type: 'ms.vss-distributed-task.task', properties: { name: 'Probe' } }] };
    const files = extensionFiles({ main: says('from the archive') });
    const vsix = join(folder, 'probe.vsix');
    const other = files['Probe/task.json']?.replace('"Probe"', '"Other"') ?? '';
    writeFileSync(vsix, zip({ 'extension.vsomanifest': JSON.stringify(manifest), ...files, 'Other/task.json': other }));
    const options = { vsix, connections: [], server: new FakeJobServer() };
    try {
      const result = await runPipeline({ ...options, pipeline: 'steps:\n- task: Probe@1\n' });
      assert.equal(result.result, 'Succeeded');
      assert.ok(result.log.includes('from the archive'));
      await assert.rejects(runPipeline({ ...options, pipeline: 'steps:\n- task: Other@1\n' }), PipelineRefused);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('resolves aliases and connection names, and tells the servers which connections the stage names', async () => {
    const server = new FakeJobServer();
    const pipeline = `
variables: { which: Production }
steps:
- task: probe@1
  inputs: { azureSubscription: $(which), scopes: read on logs }
`;
    const main = echo('INPUT_AZURECONNECTION', 'INPUT_AZURESUBSCRIPTION', 'INPUT_TARGET');
    const other = { ...connection, id: '11111111-0000-0000-0000-000000000001', name: 'other' };
    const { log } = await runProbe({
      task: { main, json: { inputs } },
      server,
      pipeline,
      connections: [other, connection],
    });
    assert.ok(log.includes(`INPUT_AZURECONNECTION="${connectionId}"`));
    assert.ok(log.includes('INPUT_AZURESUBSCRIPTION=undefined'));
    assert.ok(log.includes('INPUT_TARGET="storage"'));
    assert.deepEqual(server.jobs[0]?.referencedConnections, [connectionId]);
    assert.deepEqual(server.ended, [server.jobs[0]?.jobId]);
  });

  it('refuses unknown tasks, unknown connections, missing inputs and doubled names, all at once', async () => {
    const mistakes = await refusal(`
steps:
- task: Missing@1
- task: Probe@2
- task: Probe@1
  name: one
  inputs: { azureSubscription: staging }
- script: "true"
  name: one
`);
    assert.match(mistakes, /task called 'Missing@1'/);
    assert.match(mistakes, /task called 'Probe@2'/);
    assert.match(mistakes, /service connection staging which could not be found/);
    assert.match(mistakes, /input scopes is required/);
    assert.match(mistakes, /step name one appears more than once/);
  });

  it('refuses a connection of another type, unless told not to look', async () => {
    const docker = { ...connection, type: 'dockerregistry' };
    const pipeline = 'steps:\n- task: Probe@1\n  inputs: { azureConnection: production, scopes: x }\n';
    assert.match(await refusal(pipeline, { connections: [docker] }), /expects a service connection of type AzureRM/);
    const task: FakeTask = { main: '', json: { inputs } };
    const result = await runProbe({ task, pipeline, connections: [docker], serverChecks: { connectionTypes: false } });
    assert.equal(result.result, 'Succeeded');
  });

  it('does not ask for a required input that its rule hides', async () => {
    const pipeline = 'steps:\n- task: Probe@1\n  inputs: { target: none }\n';
    assert.equal((await runProbe({ task: { main: '', json: { inputs } }, pipeline })).result, 'Succeeded');
  });

  it('gives steps without a name the name of their task and a number', async () => {
    const pipeline = 'steps:\n- task: Probe@1\n- task: Probe@1\n- script: "true"\n';
    const result = await runProbe({ task: { main: '' }, pipeline });
    assert.deepEqual(
      result.steps.map(({ name }) => name),
      ['Probe', 'Probe1', 'CmdLine'],
    );
    assert.equal(stepOf(result, 'main', 'Probe1').result, 'Succeeded');
  });
}).timeout(runTimeoutMilliseconds);
