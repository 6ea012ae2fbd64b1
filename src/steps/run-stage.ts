import { nodeIo } from '../io/node-io.ts';
import { cancellationSignal, endProcess, printLines } from '../io/process.ts';
import { azurePipelines } from '../pipeline/azure-pipelines.ts';
import { startFailureLines } from '../pipeline/environment-guard.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { asScopedTokenError, networkSettings, type Stage } from './stage.ts';

/** The work of a stage; it throws what fails the step. */
export type StageWork = (stage: Stage) => Promise<void>;

/**
 * Runs a stage in the real world: a failure becomes one error with code, cause and next step, and the step's result
 * Failed. A clean-up, which is told the refused variables, only warns.
 */
export async function runStage(work: StageWork, refusedVariables?: readonly string[]): Promise<void> {
  const cancelled = cancellationSignal();
  const pipeline = await azurePipelines().catch((error: unknown) => {
    printLines(startFailureLines(error, refusedVariables ? 'warning' : 'error'));
  });
  if (!pipeline) return endProcess();
  try {
    await work({
      pipeline,
      io: nodeIo(networkSettings(pipeline), cancelled),
      refusedVariables: refusedVariables ?? [],
    });
    pipeline.succeed();
  } catch (error) {
    report(error, pipeline);
  }
  endProcess();
}

function report(error: unknown, pipeline: Pipeline): void {
  const known = asScopedTokenError(error);
  for (let cause: unknown = known; cause instanceof Error; cause = cause.cause)
    pipeline.debug(cause.stack ?? cause.message);
  pipeline.fail(known);
}
