import { randomUUID } from 'node:crypto';
import {
  connectionEndpoint,
  type Endpoint,
  isCredentialParameter,
  isMaskedParameter,
  systemEndpoint,
} from './endpoints.ts';
import type { JobIdentity } from './job-identity.ts';
import { JobLog } from './job-log.ts';
import type { JobState } from './job-state.ts';
import { type AgentFolders, containerPaths, hostPaths } from './path-map.ts';
import type { Pipeline } from './pipeline-file.ts';
import { agentVariables, messageVariables, withoutCommands } from './predefined-variables.ts';
import type { RunOptions } from './run-options.ts';
import { SecretRegistry } from './secret-registry.ts';
import { UploadQueue } from './upload-queue.ts';
import { VariableStore } from './variable-store.ts';

/** What a job is set up from. */
export interface SetupParts {
  readonly options: RunOptions;
  readonly pipeline: Pipeline;
  readonly identity: JobIdentity;
  readonly folders: AgentFolders;
  /** What the server gave for the job. */
  readonly grant: { readonly accessToken: string; readonly oidcRequestUri: string };
  readonly onLine: (line: string) => void;
}

/** A job before its first step, with the id by which its processes are found. */
export interface JobSetup {
  readonly state: JobState;
  readonly lookupId: string;
}

function setPipelineVariables(variables: VariableStore, secrets: SecretRegistry, parts: SetupParts): void {
  for (const { name, value, readOnly } of parts.pipeline.variables) {
    variables.set(name, withoutCommands(name, value), { readOnly });
  }
  for (const [name, given] of Object.entries(parts.options.variables ?? {})) {
    if (typeof given === 'string') {
      variables.set(name, withoutCommands(name, given));
    } else if (parts.options.forkPullRequest !== true) {
      // A fork's pull request gets no secrets.
      secrets.addJobSecret(`variable ${name}`, given.value);
      variables.set(name, given.value, { secret: true });
    }
  }
}

function setVariables(variables: VariableStore, secrets: SecretRegistry, parts: SetupParts, lookupId: string): void {
  const { options, identity, grant } = parts;
  const setAll = (values: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(values)) {
      variables.set(name, withoutCommands(name, value));
    }
  };
  setAll(messageVariables(identity, options.server, options));
  variables.set('system.oidcRequestUri', grant.oidcRequestUri);
  secrets.addJobSecret('jobToken', grant.accessToken);
  variables.set('system.accessToken', grant.accessToken, { secret: true });
  setAll(agentVariables(parts.folders, lookupId, options));
  const proxy = options.proxy ?? options.server.proxy;
  if (proxy !== false && proxy.password !== '') {
    variables.set('agent.proxypassword', proxy.password, { secret: true });
  }
  setPipelineVariables(variables, secrets, parts);
}

function makeEndpoints(parts: SetupParts, referenced: readonly string[]): Endpoint[] {
  const { options } = parts;
  const named = options.connections.filter(({ id }) => referenced.includes(id.toLowerCase()));
  return [...named.map(connectionEndpoint), systemEndpoint(options.server, parts.grant.accessToken)];
}

function registerEndpoints(endpoints: readonly Endpoint[], secrets: SecretRegistry): void {
  for (const endpoint of endpoints) {
    for (const [name, value] of endpoint.parameters) {
      if (isCredentialParameter(name)) {
        secrets.addRegistered(`connection ${name}`, value);
      } else if (isMaskedParameter(name)) {
        secrets.addMaskedOnly(value);
      }
    }
  }
}

/** Sets up variables, endpoints, masker, log and upload queue of a job. `referenced` are the connections it names. */
export function setUpJob(parts: SetupParts, referenced: readonly string[]): JobSetup {
  const secrets = new SecretRegistry();
  const lookupId = `vsts_${randomUUID()}`;
  const variables = new VariableStore((value) => secrets.addRegistered('variable', value));
  setVariables(variables, secrets, parts, lookupId);
  const endpoints = makeEndpoints(parts, referenced);
  registerEndpoints(endpoints, secrets);
  const state: JobState = {
    hostType: parts.identity.hub,
    variables,
    endpoints,
    prependPath: [],
    secrets,
    log: new JobLog(secrets.masker, parts.onLine),
    uploads: new UploadQueue(parts.options.server, parts.identity.planId),
    published: [],
    defects: [],
    paths: parts.options.container === true ? containerPaths(parts.folders) : hostPaths,
  };
  return { state, lookupId };
}
