import type { ScopedTokenError } from '../../../src/errors.ts';
import type { ConnectionFields, Pipeline } from '../../../src/pipeline/pipeline.ts';
import { Secret } from '../../../src/token/secret.ts';

/** One call that a step made to the world, in order: its name, then its values. Requests and file writes stand here too. */
export type Call = readonly [name: string, ...values: string[]];

/** The ids and inputs of a job that has all it needs. */
export const jobVariables: Readonly<Record<string, string>> = {
  'System.CollectionUri': 'https://dev.azure.com/contoso/',
  'System.TeamFoundationCollectionUri': 'https://dev.azure.com/contoso/',
  'System.TeamProjectId': '11111111-1111-4111-8111-111111111111',
  'System.TeamProject': 'shop',
  'System.PlanId': '22222222-2222-4222-8222-222222222222',
  'System.JobId': '33333333-3333-4333-8333-333333333333',
  'System.TimelineId': '44444444-4444-4444-8444-444444444444',
  'System.TaskInstanceId': '55555555-5555-4555-8555-555555555555',
  'System.HostType': 'build',
  'System.JobAttempt': '1',
  'System.OidcRequestUri': 'https://dev.azure.com/contoso/11111111-1111-4111-8111-111111111111/_apis/oidctoken',
  'Build.BuildId': '42',
  'Build.RequestedFor': 'Release service',
  'Agent.TempDirectory': '/agent/_temp',
};

/** Id of the connection that the fake job has. */
export const connectionId = '66666666-6666-4666-8666-666666666666';

/** A connection with workload identity federation. */
export function federatedConnection(more: Partial<ConnectionFields> = {}): ConnectionFields {
  const parameters = {
    tenantid: new Secret('77777777-7777-4777-8777-777777777777'),
    serviceprincipalid: new Secret('88888888-8888-4888-8888-888888888888'),
  };
  const data = { environment: 'AzureCloud' };
  return {
    id: connectionId,
    url: 'https://management.azure.com/',
    scheme: 'WorkloadIdentityFederation',
    parameters,
    data,
    ...more,
  };
}

/** A job that keeps every call. Its fields may be changed between stages. */
export class FakePipeline implements Pipeline {
  readonly calls: Call[];
  inputs: Record<string, string> = {};
  variables: Record<string, string> = { ...jobVariables };
  secretVariables: Record<string, string> = {};
  taskVariables: Record<string, string> = {};
  connections: ConnectionFields[] = [federatedConnection()];
  collection: { url: string; accessToken: Secret } | undefined = {
    url: 'https://dev.azure.com/contoso/',
    accessToken: new Secret('job-access-token'),
  };
  readonly masked: string[] = [];
  /** Called before a call is noted; it may throw. */
  onCall: (call: Call) => void = () => undefined;

  constructor(calls: Call[] = []) {
    this.calls = calls;
  }

  /** The values of all calls of that name. */
  of(name: string): string[][] {
    return this.calls.filter(([other]) => other === name).map(([, ...values]) => values);
  }

  /** All calls as text, for a search. */
  get text(): string {
    return JSON.stringify(this.calls);
  }

  #note(...call: [string, ...string[]]): void {
    this.onCall(call);
    this.calls.push(call);
  }

  input(name: string): string | undefined {
    return this.inputs[name]?.trim() || undefined;
  }
  variable(name: string): string | undefined {
    return Object.hasOwn(this.variables, name) ? this.variables[name] || undefined : undefined;
  }
  secretVariable(name: string): Secret | undefined {
    const value = this.secretVariables[name];
    return value ? new Secret(value) : undefined;
  }
  hasSecretVariable(name: string): boolean {
    return Object.keys(this.secretVariables).some((known) => known.toLowerCase() === name.toLowerCase());
  }
  connection(id: string): ConnectionFields | undefined {
    return this.connections.find((connection) => connection.id === id);
  }
  systemConnection(): { url: string; accessToken: Secret } | undefined {
    return this.collection;
  }
  taskVariable(name: string): Secret | undefined {
    const value = this.taskVariables[name];
    return value ? new Secret(value) : undefined;
  }
  setTaskVariable(name: string, value: string): void {
    this.#note('setTaskVariable', name, value);
    this.taskVariables[name] = value;
  }
  mask(value: Secret): void {
    this.#note('mask', value.reveal());
    this.masked.push(value.reveal());
  }
  secrets(): readonly string[] {
    const token = this.collection?.accessToken.reveal();
    return [...this.masked, ...Object.values(this.secretVariables), ...(token ? [token] : [])];
  }
  setSecretVariable(name: string, value: Secret): void {
    this.#note('setSecretVariable', name, value.reveal());
  }
  setOutput(name: string, value: string): void {
    this.#note('setOutput', name, value);
  }
  info(line: string): void {
    this.#note('info', line);
  }
  group(title: string, lines: readonly string[]): void {
    this.#note('group', title, ...lines);
  }
  debug(line: string): void {
    this.#note('debug', line);
  }
  warning(code: string, message: string): void {
    this.#note('warning', code, message);
  }
  attach(type: string, name: string, path: string): void {
    this.#note('attach', type, name, path);
  }
  fail(error: ScopedTokenError): void {
    this.#note('fail', error.code, error.message);
  }
  succeed(): void {
    this.#note('succeed');
  }
}
