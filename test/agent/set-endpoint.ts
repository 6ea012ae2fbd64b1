import type { CommandContext } from './commands.ts';
import { isSystemEndpoint } from './endpoints.ts';
import type { LoggingCommand } from './logging-command.ts';
import { registerSecret } from './task-commands.ts';

function required(properties: LoggingCommand['properties'], name: string): string {
  const value = properties.get(name);
  if (value === undefined) {
    throw new Error(`Required field '${name}' is missing in ##vso[task.setendpoint] command.`);
  }
  return value;
}

/** `task.setendpoint`: rewrites a field of a connection for the rest of the job; the system connection is safe. */
export function setEndpoint(context: CommandContext, { properties, data }: LoggingCommand): void {
  const { job, step } = context;
  if (data === '') {
    throw new Error('Enter a valid value for setendpoint.');
  }
  const field = required(properties, 'field').toLowerCase();
  if (field === 'authparameter') {
    registerSecret(context, 'setendpoint', data);
  }
  const id = required(properties, 'id').toLowerCase();
  const endpoint = job.endpoints.find((candidate) => candidate.id === id);
  if (endpoint === undefined) {
    throw new Error(`Service connection ${id} is not declared in this job.`);
  }
  if (isSystemEndpoint(endpoint)) {
    step.warning(`Modification of system endpoint '${endpoint.name}' is not allowed via setendpoint command.`);
    return;
  }
  if (field === 'url') {
    if (!URL.canParse(data)) {
      throw new Error('Invalid endpoint Url.');
    }
    endpoint.url = data;
    return;
  }
  const key = required(properties, 'key');
  if (field === 'dataparameter') {
    endpoint.data.set(key, data);
  } else if (field === 'authparameter') {
    endpoint.parameters.set(key, data);
  } else {
    throw new Error('Invalid endpoint field. Valid values are url, dataParameter and authParameter');
  }
}
