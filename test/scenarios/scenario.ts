import assert from 'node:assert/strict';
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readConnections } from '../agent/connections.ts';
import type { Connection } from '../agent/job-server.ts';
import type { RunOptions } from '../agent/run-options.ts';
import { runPipeline } from '../agent/run-pipeline.ts';
import type { RunResult, StepResult } from '../agent/run-result.ts';
import { packagedExtension, root } from '../packaged.ts';
import { type Lab, startLab } from '../servers/lab.ts';

/** Long enough for the task's own limits: a route that never answers is given up after 45 s. */
export const scenarioTimeoutMilliseconds = 90_000;

/** The connections of the examples. */
export const exampleConnections: readonly Connection[] = readConnections(
  join(root, 'docs', 'examples', 'connections.yml'),
);

/** A lab for the tests of one file: started before them, its faults and clock cleared after each, stopped at the end. */
export function labForSuite(): { readonly lab: Lab } {
  let lab: Lab | undefined;
  before(async function () {
    this.timeout(30_000);
    lab = await startLab({ connections: exampleConnections });
  });
  afterEach(() => {
    lab?.clearFaults();
    if (lab) lab.clock.offsetSeconds = 0;
  });
  after(async () => lab?.stop());
  return {
    get lab() {
      assert.ok(lab, 'the lab is there from the first hook on');
      return lab;
    },
  };
}

/** Options of a scenario; what is missing is the examples' connections, the packaged extension and the lab. */
export type ScenarioOptions = Partial<RunOptions> & Pick<RunOptions, 'pipeline'>;

/**
 * Runs a pipeline on the packaged extension. Whatever the result: no secret stands anywhere, no host was asked for that
 * is not mapped, no attachment was lost, nothing was left running.
 */
export async function runScenario(lab: Lab, options: ScenarioOptions): Promise<RunResult> {
  const run = await runPipeline({
    vsix: await packagedExtension(),
    connections: exampleConnections,
    server: lab,
    scriptEnvironment: lab.clientEnvironment(),
    ...options,
  });
  assert.deepEqual(run.leaks, [], 'leaks');
  assert.deepEqual(run.refusedHosts, [], 'refused hosts');
  assert.deepEqual(run.lostAttachments, [], 'lost attachments');
  assert.deepEqual(run.orphans, [], 'orphans');
  assert.deepEqual(run.defects, [], 'defects');
  return run;
}

/** A step's stage by the step's reference name. */
export function stageOf(run: RunResult, name: string, stage: StepResult['stage'] = 'main'): StepResult {
  const found = run.steps.find((step) => step.name === name && step.stage === stage);
  assert.ok(found, `${stage} stage of ${name} ran; there are ${run.steps.map((step) => `${step.stage} ${step.name}`)}`);
  return found;
}

/** The one error of a failed stage: its code and message. Fails when there is none or more than one. */
export function errorOf(step: StepResult): { readonly code: string; readonly message: string } {
  const errors = step.issues.filter((issue) => issue.type === 'error');
  assert.equal(step.result, 'Failed');
  assert.equal(
    errors.length,
    1,
    `one error, not ${errors.length}: ${errors.map((issue) => issue.message).join(' | ')}`,
  );
  const message = errors[0]?.message ?? '';
  const code = /^([A-Z_]+): /.exec(message)?.[1];
  assert.ok(code, `the message begins with its code: ${message}`);
  return { code, message };
}

/** Removes the folder of an agent that a test gave itself. Task folders in it are read-only, for a user who is not root. */
export async function removeAgentFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
  await rm(folder, { recursive: true, force: true });
}
