import { copyFileSync, existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Endpoint, isSystemEndpoint } from './endpoints.ts';
import { type Environment, handlerEnvironment } from './environment.ts';
import type { PlannedStep } from './job-plan.ts';
import { expandMacros } from './macros.ts';
import type { StepRecord } from './step-record.ts';
import type { Launch, Prepared, StepServices } from './step-services.ts';
import { chooseHandler, type TaskDefinition, type TaskHandler, type TaskStage } from './task-definition.ts';

const ruler = '='.repeat(78);

function printHeader(services: StepServices, definition: TaskDefinition): void {
  const lines = [
    ruler,
    `Task         : ${definition.friendlyName}`,
    `Description  : ${definition.description}`,
    `Version      : ${definition.version}`,
    `Author       : ${definition.author}`,
    `Help         : ${definition.help}`,
    ruler,
  ];
  services.state.log.writeUnmasked(lines.join('\n'));
}

/** Expands macros as the agent does: from job variables, then from its own environment, there with case. */
export function expandValue(services: StepServices, text: string): string {
  const { paths, variables } = services.state;
  const lookup = (name: string) => {
    const value = variables.get(name);
    return value === undefined ? undefined : paths.toStep(value);
  };
  return expandMacros(expandMacros(text, lookup), (name) => services.agentEnvironment[name]);
}

/** `env:` of a step: trimmed, then expanded. */
export function expandStepEnvironment(services: StepServices, planned: PlannedStep): Environment {
  return Object.fromEntries(
    Object.entries(planned.step.env).map(([name, value]) => [name.trim(), expandValue(services, value.trim())]),
  );
}

function effectiveInputs(
  services: StepServices,
  planned: PlannedStep,
  definition: TaskDefinition,
): Map<string, string> {
  const inputs = new Map(definition.inputs.map((input) => [input.name, input.defaultValue.trim()]));
  for (const [name, value] of planned.inputs) {
    inputs.set(name, value.trim());
  }
  const filePaths = new Set(
    definition.inputs.filter(({ type }) => type.toLowerCase() === 'filepath').map(({ name }) => name),
  );
  for (const [name, value] of inputs) {
    let expanded = expandValue(services, value);
    if (filePaths.has(name) && !isAbsolute(expanded)) {
      // Even an empty one: an input that was not given arrives as the root of the repository.
      expanded = join(services.folders.sources, expanded);
    }
    inputs.set(name, services.state.paths.toStep(expanded));
  }
  return inputs;
}

function namedEndpoints(
  services: StepServices,
  definition: TaskDefinition,
  inputs: ReadonlyMap<string, string>,
): Endpoint[] {
  const ids = new Set(
    definition.inputs
      .filter(({ type }) => type.toLowerCase().startsWith('connectedservice:'))
      .flatMap(({ name }) => (inputs.get(name) ?? '').split(','))
      .map((id) => id.trim().toLowerCase()),
  );
  return services.state.endpoints.filter((endpoint) => !isSystemEndpoint(endpoint) && ids.has(endpoint.id));
}

const invokerName = 'containerHandlerInvoker.mjs';

/** Starts the handler through the container's invoker: environment and arguments go as JSON over standard input. */
function throughInvoker(services: StepServices, launch: Launch): Launch {
  const { paths } = services.state;
  const invoker = join(services.folders.temp, invokerName);
  copyFileSync(join(dirname(fileURLToPath(import.meta.url)), 'container-invoker.mjs'), invoker);
  const payload = {
    handler: launch.file,
    args: launch.args[0],
    workDir: launch.cwd,
    environment: launch.environment,
    prependPath: [...services.state.prependPath].reverse().map(paths.toStep).join(':'),
  };
  return {
    file: services.nodePath,
    args: [paths.toStep(invoker)],
    cwd: services.folders.work,
    environment: imageEnvironment(services),
    input: `${JSON.stringify(payload)}\n`,
  };
}

/** What a container's image brings; nothing of the agent's environment gets in. */
export function imageEnvironment(services: StepServices): Environment {
  return { PATH: services.agentEnvironment['PATH'] ?? '/usr/bin:/bin', HOME: services.folders.home };
}

function makeLaunch(services: StepServices, handler: TaskHandler, folder: string, dictionary: Environment): Launch {
  const { state, folders } = services;
  const cwd = expandValue(services, handler.workingDirectory ?? '') || folders.sources;
  const host: Launch = {
    file: services.nodePath,
    args: [state.paths.toStep(join(folder, handler.target))],
    cwd: state.paths.toStep(cwd),
    environment: dictionary,
  };
  return state.paths.container
    ? throughInvoker(services, host)
    : { ...host, environment: { ...services.agentEnvironment, ...dictionary } };
}

/**
 * Prepares one stage of a task: header, inputs, endpoints.
 * Throws what makes the agent fail the step before it starts anything.
 */
export function prepareTask(
  services: StepServices,
  planned: PlannedStep,
  record: StepRecord,
  stage: TaskStage,
): Prepared {
  const { state } = services;
  const installed = planned.task === undefined ? undefined : services.installed.get(planned.task);
  if (installed === undefined) {
    throw new Error('The task is not installed.');
  }
  const { definition, folder } = installed;
  printHeader(services, definition);
  const handler = chooseHandler(definition, stage);
  if (handler === undefined) {
    throw new Error('The current operating system is not capable of running this task.');
  }
  const inputs = effectiveInputs(services, planned, definition);
  const stepEnvironment = expandStepEnvironment(services, planned);
  const endpoints = namedEndpoints(services, definition, inputs);
  const isFork =
    state.variables.isTrue('system.pullRequest.isFork') && state.variables.isTrue('system.restrictSecrets');
  if (endpoints.length > 0 && isFork) {
    return {
      skipped:
        'References service endpoint. PRs from repository forks are not allowed to access secrets in the pipeline.',
    };
  }
  for (const name of definition.outputVariables) {
    record.outputNames.add(name);
  }
  if (!existsSync(join(folder, handler.target))) {
    throw new Error(`File not found: '${join(folder, handler.target)}'`);
  }
  const launch = () => {
    const dictionary = handlerEnvironment({
      stepEnvironment,
      variables: state.variables,
      taskVariables: record.taskVariables,
      inputs,
      endpoints: [...endpoints, ...state.endpoints.filter(isSystemEndpoint)],
      prependPath: state.paths.container ? [] : state.prependPath,
      agentPath: services.agentEnvironment['PATH'] ?? '',
      translate: state.paths.toStep,
    });
    return makeLaunch(services, handler, folder, dictionary);
  };
  return { launch };
}
