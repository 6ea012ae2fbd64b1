import { endProcess, printLines, processEnvironment } from '../src/io/process.ts';
import { refusalLines, refusedVariables } from '../src/pipeline/environment-guard.ts';
import type { StageWork } from '../src/steps/run-stage.ts';

/** Judges the environment before anything else is loaded, then loads and runs the stage's work. */
export async function startTask(load: () => Promise<StageWork>): Promise<void> {
  const refused = refusedVariables(processEnvironment());
  if (refused === undefined || refused.length > 0) {
    printLines(refusalLines(refused));
    endProcess();
    return;
  }
  const { runStage } = await import('../src/steps/run-stage.ts');
  await runStage(await load());
}

/** Cleaning up runs whatever the environment is; with a refused variable in it, it stays off the network. */
export async function startCleanup(load: () => Promise<StageWork>): Promise<void> {
  const refused = refusedVariables(processEnvironment()) ?? ['VSTS_PUBLIC_VARIABLES'];
  const { runStage } = await import('../src/steps/run-stage.ts');
  await runStage(await load(), refused);
}
