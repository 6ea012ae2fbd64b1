import { type Endpoint, isSystemEndpoint } from './endpoints.ts';
import type { Variable, VariableStore } from './variable-store.ts';

export type Environment = Record<string, string>;

/** What a handler's environment is made of. */
export interface EnvironmentParts {
  /** `env:` of the step, expanded. */
  readonly stepEnvironment: Environment;
  readonly variables: VariableStore;
  readonly taskVariables: VariableStore;
  /** Canonical input names with expanded values, the empty ones too. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly endpoints: readonly Endpoint[];
  /** In the order of their commands. */
  readonly prependPath: readonly string[];
  readonly agentPath: string;
  /** Host path to the path that the step sees. */
  readonly translate: (value: string) => string;
}

/** Dots and blanks become underscores, letters capitals; nothing else changes (`ConvertToEnvVariableFormat`). */
export function environmentName(name: string, preserveCase = false): string {
  const mangled = name.replace(/[. ]/g, '_');
  return preserveCase ? mangled : mangled.toUpperCase();
}

function addVariables(environment: Environment, parts: EnvironmentParts): void {
  const names = (variables: readonly Variable[]) => JSON.stringify(variables.map((variable) => variable.name));
  const open = parts.variables.publicVariables();
  for (const variable of open) {
    const value = parts.translate(variable.value);
    if (variable.name.toLowerCase() === 'agent.jobstatus') {
      environment[variable.name] = value;
    }
    environment[environmentName(variable.name, variable.preserveCase)] = value;
  }
  environment['VSTS_PUBLIC_VARIABLES'] = names(open);
  const secret = parts.variables.secretVariables();
  for (const variable of secret) {
    environment[`SECRET_${environmentName(variable.name, variable.preserveCase)}`] = parts.translate(variable.value);
  }
  environment['VSTS_SECRET_VARIABLES'] = names(secret);
}

function addEndpoint(environment: Environment, endpoint: Endpoint): void {
  const system = isSystemEndpoint(endpoint);
  const key = system ? 'SYSTEMVSSCONNECTION' : endpoint.id;
  const authorization = { parameters: Object.fromEntries(endpoint.parameters), scheme: endpoint.scheme };
  environment[`ENDPOINT_URL_${key}`] = endpoint.url;
  environment[`ENDPOINT_AUTH_${key}`] = JSON.stringify(authorization);
  environment[`ENDPOINT_AUTH_SCHEME_${key}`] = endpoint.scheme;
  for (const [name, value] of endpoint.parameters) {
    environment[`ENDPOINT_AUTH_PARAMETER_${key}_${environmentName(name)}`] = value;
  }
  if (!system) {
    environment[`ENDPOINT_DATA_${key}`] = JSON.stringify(Object.fromEntries(endpoint.data));
    for (const [name, value] of endpoint.data) {
      environment[`ENDPOINT_DATA_${key}_${environmentName(name)}`] = value;
    }
  }
}

/** The dictionary that a Node handler gets, in the agent's order: later writes win. */
export function handlerEnvironment(parts: EnvironmentParts): Environment {
  const environment: Environment = { ...parts.stepEnvironment };
  addVariables(environment, parts);
  for (const [name, value] of parts.inputs) {
    environment[`INPUT_${environmentName(name)}`] = value;
  }
  for (const endpoint of parts.endpoints) {
    addEndpoint(environment, endpoint);
  }
  const { taskVariables } = parts;
  for (const variable of [...taskVariables.publicVariables(), ...taskVariables.secretVariables()]) {
    environment[`VSTS_TASKVARIABLE_${environmentName(variable.name, variable.preserveCase)}`] = variable.value;
  }
  if (parts.prependPath.length > 0) {
    // A job variable named PATH counts before the step's, and both before the agent's own.
    const original = parts.variables.get('PATH') ?? parts.stepEnvironment['PATH'] ?? parts.agentPath;
    environment['PATH'] = [...parts.prependPath].reverse().concat(original).join(':');
  }
  return environment;
}

const vaultPrefixes = ['INPUT_', 'ENDPOINT_AUTH_', 'SECUREFILE_TICKET_', 'SECRET_', 'VSTS_TASKVARIABLE_'];
const vaultNames = ['VSTS_PUBLIC_VARIABLES', 'VSTS_SECRET_VARIABLES', 'COMMAND_CORRELATION_ID'];

/** What is left for a shell: the in-box script tasks are Node programs that take these out before they start one. */
export function shellEnvironment(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !vaultNames.includes(name) && !vaultPrefixes.some((prefix) => name.startsWith(prefix)),
    ),
  );
}

/**
 * The agent's own environment: a small one, never the developer's. `own` holds what an administrator set.
 * Neither a proxy nor a certificate authority gets in unless `own` names it.
 */
export function agentEnvironment(home: string, own: Readonly<Record<string, string>>): Environment {
  return { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8', ...own };
}
