import type { Connection } from './job-server.ts';
import { expandMacros } from './macros.ts';
import type { Pipeline, PipelineStep } from './pipeline-file.ts';
import type { RunOptions } from './run-options.ts';
import type { TaskDefinition, TaskInput } from './task-definition.ts';

/** A step whose inputs the server resolves. */
export interface InputRequest {
  readonly step: PipelineStep;
  readonly name: string;
  readonly definition: TaskDefinition | undefined;
  readonly pipeline: Pipeline;
  readonly options: RunOptions;
}

/** What resolving adds to. */
export interface InputFindings {
  readonly mistakes: string[];
  readonly referenced: Set<string>;
}

const connectionPrefix = 'connectedservice:';

function isConnectionInput(input: TaskInput): boolean {
  return input.type.toLowerCase().startsWith(connectionPrefix);
}

function findInput(definition: TaskDefinition, key: string): TaskInput | undefined {
  const wanted = key.toLowerCase();
  const byName = definition.inputs.find((input) => input.name.toLowerCase() === wanted);
  return byName ?? definition.inputs.find((input) => input.aliases.some((alias) => alias.toLowerCase() === wanted));
}

function findConnection(connections: readonly Connection[], reference: string): Connection | undefined {
  const wanted = reference.trim().toLowerCase();
  return connections.find(({ id, name }) => id.toLowerCase() === wanted || name.toLowerCase() === wanted);
}

function resolveConnections(request: InputRequest, input: TaskInput, written: string): [string, string[]] {
  const { options, pipeline } = request;
  const mistakes: string[] = [];
  // Names are resolved before the job runs: only variables of the pipeline file are known by then.
  const value = expandMacros(written, (name) => {
    return pipeline.variables.find((variable) => variable.name.toLowerCase() === name.toLowerCase())?.value;
  });
  const wantedType = input.type.slice(connectionPrefix.length).split(':')[0] ?? '';
  const ids = value
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const where = `step ${request.name} input ${input.name}`;
      const connection = findConnection(options.connections, part);
      if (connection === undefined) {
        mistakes.push(
          `${where} references service connection ${part.trim()} which could not be found. The service connection does not exist, has been disabled or has not been authorized for use`,
        );
        return part.trim();
      }
      if (
        options.serverChecks?.connectionTypes !== false &&
        connection.type.toLowerCase() !== wantedType.toLowerCase()
      ) {
        mistakes.push(
          `${where} expects a service connection of type ${wantedType} but the provided service connection ${connection.name} is of type ${connection.type}`,
        );
      }
      return connection.id.toLowerCase();
    });
  return [ids.join(','), mistakes];
}

/** Whether a `visibleRule` shows its input, by the written values and the defaults. Rules that cannot be read show it. */
function isVisible(definition: TaskDefinition, rule: string, values: ReadonlyMap<string, string>): boolean {
  const clause = (text: string): boolean => {
    const match = /^\s*(\w+)\s*(==?|!=)\s*(.*?)\s*$/.exec(text);
    const input = match?.[1] === undefined ? undefined : findInput(definition, match[1]);
    if (match === null || input === undefined) {
      return true;
    }
    const same = (values.get(input.name) ?? input.defaultValue).toLowerCase() === match[3]?.toLowerCase();
    return match[2] === '!=' ? !same : same;
  };
  return rule.trim() === '' || rule.split('||').some((part) => part.split('&&').every(clause));
}

/** Resolves aliases and connections of one step; missing required inputs and unknown connections are mistakes. */
export function resolveInputs(request: InputRequest, findings: InputFindings): ReadonlyMap<string, string> {
  const { definition, step } = request;
  const inputs = new Map<string, string>();
  if (definition === undefined) {
    return inputs;
  }
  for (const [key, value] of Object.entries(step.inputs)) {
    const input = findInput(definition, key);
    if (input === undefined || !isConnectionInput(input)) {
      inputs.set(input?.name ?? key, value);
      continue;
    }
    const [ids, mistakes] = resolveConnections(request, input, value);
    inputs.set(input.name, ids);
    findings.mistakes.push(...mistakes);
    for (const id of ids.split(',').filter((part) => part !== '')) {
      findings.referenced.add(id);
    }
  }
  for (const input of request.options.serverChecks?.requiredInputs === false ? [] : definition.inputs) {
    const value = inputs.get(input.name) ?? input.defaultValue;
    if (input.required && value.trim() === '' && isVisible(definition, input.visibleRule, inputs)) {
      findings.mistakes.push(`step ${request.name} input ${input.name} is required`);
    }
  }
  return inputs;
}
