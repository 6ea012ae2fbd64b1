import { randomUUID } from 'node:crypto';
import type { PackagedTask } from './extension-package.ts';
import { resolveInputs } from './input-resolution.ts';
import type { Pipeline, PipelineStep } from './pipeline-file.ts';
import { PipelineRefused } from './refusal.ts';
import type { RunOptions } from './run-options.ts';

/** A step as the server puts it into the job message. */
export interface PlannedStep {
  readonly step: PipelineStep;
  /** Becomes the record of the main stage. */
  readonly instanceId: string;
  /** Reference name, unique in the job. */
  readonly name: string;
  readonly displayName: string;
  /** Missing for `script:` and `bash:`. */
  readonly task?: PackagedTask;
  /** By canonical name; connections as GUIDs. Not expanded. */
  readonly inputs: ReadonlyMap<string, string>;
}

export interface JobPlan {
  readonly steps: readonly PlannedStep[];
  /** Ids of the connections that `connectedService:` inputs name. */
  readonly referencedConnections: readonly string[];
}

function findTask(step: PipelineStep, tasks: readonly PackagedTask[]): PackagedTask | undefined {
  const { work } = step;
  if (work.kind !== 'task') {
    return undefined;
  }
  return tasks.find(
    ({ definition }) =>
      definition.major === work.major &&
      [definition.name.toLowerCase(), definition.id].includes(work.task.toLowerCase()),
  );
}

function generatedName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let number = 1; taken.has(name.toLowerCase()); number += 1) {
    name = `${base}${number}`;
  }
  return name;
}

/**
 * Does what the server does before a job starts: finds the tasks, resolves input aliases and connection names, gives
 * steps their reference names.
 * @throws PipelineRefused with every mistake found
 */
export function planJob(pipeline: Pipeline, tasks: readonly PackagedTask[], options: RunOptions): JobPlan {
  const mistakes: string[] = [];
  const referenced = new Set<string>();
  const names = new Set<string>();
  const steps: PlannedStep[] = [];
  for (const [index, step] of pipeline.steps.entries()) {
    const { work } = step;
    const task = findTask(step, tasks);
    if (work.kind === 'task' && task === undefined) {
      mistakes.push(
        `steps[${index}]: a task is missing. The pipeline references a task called '${work.task}@${work.major}', which the extension does not hold`,
      );
      continue;
    }
    const base = task?.definition.name ?? 'CmdLine';
    const name = step.name ?? generatedName(base.replaceAll('-', '_'), names);
    if (names.has(name.toLowerCase())) {
      mistakes.push(`steps[${index}]: the step name ${name} appears more than once`);
    }
    names.add(name.toLowerCase());
    const inputs = resolveInputs(
      { step, name, definition: task?.definition, pipeline, options },
      { mistakes, referenced },
    );
    const planned = { step, instanceId: randomUUID(), name, displayName: step.displayName ?? base, inputs };
    if (step.enabled) {
      steps.push(task === undefined ? planned : { ...planned, task });
    }
  }
  if (mistakes.length > 0) {
    throw new PipelineRefused(mistakes.map((mistake) => `pipeline: ${mistake}`));
  }
  return { steps, referencedConnections: [...referenced] };
}
