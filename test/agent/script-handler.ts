import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { isSystemEndpoint } from './endpoints.ts';
import { type Environment, handlerEnvironment, shellEnvironment } from './environment.ts';
import type { PlannedStep } from './job-plan.ts';
import type { StepRecord } from './step-record.ts';
import type { Prepared, StepServices } from './step-services.ts';
import { expandStepEnvironment, expandValue, imageEnvironment } from './task-handler.ts';

function scriptFile(services: StepServices, script: string): string {
  const path = join(services.folders.temp, `${randomUUID()}.sh`);
  // The in-box tasks leave this file behind. A secret that a macro put into the script stays in it: use `env:`.
  writeFileSync(path, `${script}\n`);
  return path;
}

/** Prepares `script:` or `bash:`, as the in-box script tasks would run it: bash, the script in a file. */
export function prepareScript(services: StepServices, planned: PlannedStep, record: StepRecord): Prepared {
  const { state, folders } = services;
  const { work } = planned.step;
  const script = work.kind === 'script' ? expandValue(services, work.script.trim()) : '';
  const wanted = work.kind === 'script' ? expandValue(services, work.workingDirectory ?? '') : '';
  const cwd = isAbsolute(wanted) ? wanted : join(folders.sources, wanted);
  const stepEnvironment = expandStepEnvironment(services, planned);
  const path = state.paths.toStep(scriptFile(services, script));
  const launch = () => {
    const dictionary = handlerEnvironment({
      stepEnvironment,
      variables: state.variables,
      taskVariables: record.taskVariables,
      inputs: new Map(),
      endpoints: state.endpoints.filter(isSystemEndpoint),
      prependPath: state.prependPath,
      agentPath: services.agentEnvironment['PATH'] ?? '',
      translate: state.paths.toStep,
    });
    const surroundings: Environment = state.paths.container ? imageEnvironment(services) : services.agentEnvironment;
    return {
      file: 'bash',
      args: ['--noprofile', '--norc', path],
      cwd: state.paths.toStep(cwd),
      environment: { ...surroundings, ...services.scriptEnvironment, ...shellEnvironment(dictionary) },
    };
  };
  record.output('Generating script.');
  record.output('========================== Starting Command Output ===========================');
  record.output(`[command]/usr/bin/bash --noprofile --norc ${path}`);
  return { launch };
}
