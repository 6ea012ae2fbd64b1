import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '../../agent/job-server.ts';
import type { RunOptions } from '../../agent/run-options.ts';
import { runPipeline } from '../../agent/run-pipeline.ts';
import type { RunResult, StepResult } from '../../agent/run-result.ts';
import { FakeJobServer } from './fake-job-server.ts';

/** Sources of a task's stages (ES modules), and what its task.json says beside them. */
export interface FakeTask {
  readonly pre?: string;
  readonly main?: string;
  readonly post?: string;
  readonly json?: Readonly<Record<string, unknown>>;
}

/** A run starts processes; a loaded machine may take its time. */
export const runTimeoutMilliseconds = 20_000;

export const connectionId = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';

/** A connection named `production`. */
export const connection: Connection = {
  id: connectionId,
  name: 'production',
  type: 'AzureRM',
  url: 'https://management.azure.com/',
  scheme: 'WorkloadIdentityFederation',
  parameters: {
    tenantid: '0f8fad5b-d9cb-469f-a165-70867728950e',
    serviceprincipalid: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  },
  data: { environment: 'AzureCloud', 'subscription id': '42' },
};

const taskId = 'b7e23ec2-9af8-4c0a-8f2d-1d3c5e7f9a11';

/** The files of an extension with one task, `Probe@1`, by their paths. */
export function extensionFiles(task: FakeTask): Readonly<Record<string, string>> {
  const handler = (stage: 'pre' | 'main' | 'post') => ({
    Node24: { target: `${stage}.mjs` },
    Node20_1: { target: `${stage}.mjs` },
  });
  const definition = {
    id: taskId,
    name: 'Probe',
    friendlyName: 'Probe task',
    description: 'Says what it was told',
    author: 'Contoso',
    helpMarkDown: 'none',
    version: { Major: 1, Minor: 2, Patch: 3 },
    inputs: [],
    ...(task.pre === undefined ? {} : { prejobexecution: handler('pre') }),
    ...(task.main === undefined ? {} : { execution: handler('main') }),
    ...(task.post === undefined ? {} : { postjobexecution: handler('post') }),
    ...task.json,
  };
  const sources = Object.entries({ pre: task.pre, main: task.main, post: task.post }).filter(
    ([, source]) => source !== undefined,
  );
  return {
    'Probe/task.json': JSON.stringify(definition),
    ...Object.fromEntries(sources.map(([stage, source]) => [`Probe/${stage}.mjs`, source ?? ''])),
  };
}

/** Writes an extension into a new folder. */
export function writeExtension(task: FakeTask): string {
  const folder = mkdtempSync(join(tmpdir(), 'extension-'));
  for (const [name, text] of Object.entries(extensionFiles(task))) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

export interface Probe extends Partial<RunOptions> {
  readonly task?: FakeTask;
  readonly server?: FakeJobServer;
}

/** Runs a pipeline against the fake server; by default one step of the task. */
export async function runProbe(probe: Probe): Promise<RunResult> {
  const { task = { main: '' }, ...options } = probe;
  const vsix = writeExtension(task);
  try {
    return await runPipeline({
      vsix,
      pipeline: 'steps:\n- task: Probe@1\n',
      connections: [connection],
      server: new FakeJobServer(),
      ...options,
    });
  } finally {
    rmSync(vsix, { recursive: true });
  }
}

/** The result of a stage, which must be there. */
export function stepOf(result: RunResult, stage: StepResult['stage'], name = 'Probe'): StepResult {
  const step = result.steps.find((candidate) => candidate.stage === stage && candidate.name === name);
  if (step === undefined) {
    throw new Error(`no step ${name} (${stage}); the log was:\n${result.log.join('\n')}`);
  }
  return step;
}

/** Source of a stage that prints the given lines. */
export function says(...lines: string[]): string {
  return `process.stdout.write(${JSON.stringify(`${lines.join('\n')}\n`)});`;
}
