import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConnections } from '../agent/connections.ts';
import { runPipeline } from '../agent/run-pipeline.ts';
import { root } from '../packaged.ts';
import type { Lab } from '../servers/lab.ts';

/** What the agent stand-in gave a main stage. */
export interface RecordedStage {
  readonly environment: Readonly<Record<string, string>>;
  /** The unpacked task's main stage. */
  readonly script: string;
  /** Removes what earlier runs wrote into the agent's temp folder. */
  clear(): Promise<void>;
  remove(): Promise<void>;
}

const inputs = {
  storage: [
    'azureConnection: sc-logs',
    'target: storage',
    'resource: https://contosodata.blob.core.windows.net',
    'scopes: read,list on logs',
  ],
  containerRegistry: [
    'azureConnection: sc-images',
    'target: containerRegistry',
    'resource: contoso.azurecr.io',
    'scopes: pull on team/app',
  ],
} as const;

/** Targets that the bench knows. */
export type BenchTarget = keyof typeof inputs;

/** Runs a one-step job and keeps the environment of its main stage, with a job token that works. */
export async function recordMainStage(lab: Lab, vsix: string, target: BenchTarget): Promise<RecordedStage> {
  const folder = await mkdtemp(join(tmpdir(), 'scoped-token-bench-'));
  const workFolder = join(folder, 'agent');
  const pipeline = [
    'steps:',
    '  - task: ScopedToken@1',
    '    name: bench',
    '    inputs:',
    ...inputs[target].map((input) => `      ${input}`),
    '',
  ].join('\n');
  const connections = readConnections(join(root, 'docs', 'examples', 'connections.yml'));
  const run = await runPipeline({
    vsix,
    pipeline,
    connections,
    server: lab,
    nodePath: join(root, 'test', 'bench', 'recording-node.mjs'),
    variables: { BENCH_FOLDER: folder, BENCH_NODE: process.execPath },
    workFolder,
    keep: true,
  });
  if (run.result !== 'Succeeded') throw new Error(`the job to measure failed:\n${run.log.join('\n')}`);
  const text = await readFile(join(folder, 'main.mjs.json'), 'utf8');
  const environment = JSON.parse(text) as Record<string, string>;
  // The job is over, and its route for ID tokens with it: it is begun once more, with the same ids.
  const { accessToken } = lab.registerJob({
    ...run.ids,
    project: environment['SYSTEM_TEAMPROJECT'] ?? '',
    projectId: environment['SYSTEM_TEAMPROJECTID'] ?? '',
    hub: 'build',
    connections,
    referencedConnections: connections.map(({ id }) => id),
  });
  environment['ENDPOINT_AUTH_SYSTEMVSSCONNECTION'] = JSON.stringify({
    scheme: 'OAuth',
    parameters: { AccessToken: accessToken },
  });
  const temp = environment['AGENT_TEMPDIRECTORY'] ?? '';
  return {
    environment,
    script: await mainScript(workFolder),
    async clear() {
      for (const file of await readdir(temp)) if (file.startsWith('scoped-token-')) await rm(join(temp, file));
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function mainScript(workFolder: string): Promise<string> {
  const files = await readdir(join(workFolder, '_work', '_tasks'), { recursive: true });
  const main = files.find((file) => file.endsWith('main.mjs'));
  if (!main) throw new Error('the task was not unpacked');
  return join(workFolder, '_work', '_tasks', main);
}
