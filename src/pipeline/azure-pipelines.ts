import type * as TaskLibrary from 'azure-pipelines-task-lib/task.js';
import type { ScopedTokenError } from '../errors.ts';
import { Secret } from '../token/secret.ts';
import { mangledName } from './environment-guard.ts';
import type { ConnectionFields, Pipeline } from './pipeline.ts';
import { printable, printableLines } from './printable.ts';

/**
 * The Azure Pipelines job, through the task library. Loading the library empties this process's environment of
 * secrets, so that no child inherits them.
 */
export async function azurePipelines(): Promise<Pipeline> {
  // Read here, because the library writes the value of every variable that it is asked for as a debug line.
  const secrets = new Map(
    namesIn(process.env['VSTS_SECRET_VARIABLES']).map((name) => [
      name.toLowerCase(),
      process.env[`SECRET_${mangledName(name)}`] ?? '',
    ]),
  );
  const { default: task } = await import('azure-pipelines-task-lib/task.js');
  return new AzurePipelines(task, secrets);
}

class AzurePipelines implements Pipeline {
  readonly #task: typeof TaskLibrary;
  /** The job's secret variables, by name in lower case. */
  readonly #jobSecrets: ReadonlyMap<string, string>;
  readonly #masked = new Set<string>();
  #system: { url: string; accessToken: Secret } | undefined;

  constructor(task: typeof TaskLibrary, jobSecrets: ReadonlyMap<string, string>) {
    this.#task = task;
    this.#jobSecrets = jobSecrets;
  }

  input(name: string): string | undefined {
    return this.#task.getInput(name)?.trim() || undefined;
  }

  variable(name: string): string | undefined {
    if (this.hasSecretVariable(name)) return undefined;
    return this.#task.getVariable(name) || undefined;
  }

  secretVariable(name: string): Secret | undefined {
    const value = this.#jobSecrets.get(name.toLowerCase());
    return value ? new Secret(value) : undefined;
  }

  hasSecretVariable(name: string): boolean {
    return this.#jobSecrets.has(name.toLowerCase());
  }

  connection(id: string): ConnectionFields | undefined {
    const authorization = this.#task.getEndpointAuthorization(id, true);
    if (!authorization) return undefined;
    const parameters = Object.entries(authorization.parameters ?? {}).map(([key, value]) => [
      key.toLowerCase(),
      new Secret(value ?? ''),
    ]);
    return {
      id,
      url: this.#task.getEndpointUrl(id, true) ?? '',
      scheme: authorization.scheme ?? '',
      parameters: Object.fromEntries(parameters),
      data: dataOf(process.env[`ENDPOINT_DATA_${id}`]),
    };
  }

  systemConnection(): { url: string; accessToken: Secret } | undefined {
    this.#system ??= this.#readSystemConnection();
    return this.#system;
  }

  #readSystemConnection(): { url: string; accessToken: Secret } | undefined {
    const url = this.#task.getEndpointUrl('SYSTEMVSSCONNECTION', true);
    const parameters = this.#task.getEndpointAuthorization('SYSTEMVSSCONNECTION', true)?.parameters ?? {};
    const token = Object.entries(parameters).find(([name]) => name.toLowerCase() === 'accesstoken')?.[1];
    return url && token ? { url, accessToken: new Secret(token) } : undefined;
  }

  taskVariable(name: string): Secret | undefined {
    const value = this.#task.getTaskVariable(name);
    return value ? new Secret(value) : undefined;
  }

  setTaskVariable(name: string, value: string): void {
    this.#task.setTaskVariable(name, value, true);
  }

  mask(value: Secret): void {
    const text = value.reveal();
    if (this.#masked.has(text)) return;
    this.#masked.add(text);
    this.#task.setSecret(text);
  }

  secrets(): readonly string[] {
    const token = this.systemConnection()?.accessToken.reveal();
    return [...this.#masked, ...this.#jobSecrets.values(), token ?? ''].filter((value) => value.length > 0);
  }

  setSecretVariable(name: string, value: Secret): void {
    this.#task.setVariable(name, value.reveal(), true);
  }

  setOutput(name: string, value: string): void {
    // The agent masks no variable: a secret that an input took in would stand in clear.
    this.#task.setVariable(name, this.#clean(printable(value)), false, true);
  }

  info(line: string): void {
    for (const part of printableLines(line)) process.stdout.write(`${part}\n`);
  }

  group(title: string, lines: readonly string[]): void {
    process.stdout.write(`##[group]${printable(title)}\n`);
    for (const line of lines) this.info(line);
    process.stdout.write('##[endgroup]\n');
  }

  debug(line: string): void {
    for (const part of printableLines(line)) this.#task.debug(part);
  }

  warning(code: string, message: string): void {
    this.#task.command('task.logissue', { type: 'warning', code }, this.#clean(`${code}: ${message}`));
  }

  attach(type: string, name: string, path: string): void {
    this.#task.command('task.addattachment', { type, name }, path);
  }

  fail(error: ScopedTokenError): void {
    this.#task.command('task.logissue', { type: 'error', code: error.code }, this.#clean(error.message));
    this.#task.command('task.complete', { result: 'Failed' }, error.code);
  }

  succeed(): void {
    this.#task.command('task.complete', { result: 'Succeeded' }, '');
  }

  #clean(text: string): string {
    // The longest first: a secret may be part of another.
    const secrets = [...this.secrets()].sort((left, right) => right.length - left.length);
    return secrets.reduce(
      (cleaned, secret) => (secret.length < 4 ? cleaned : cleaned.replaceAll(secret, '[secret]')),
      printableLines(text).join('\n'),
    );
  }
}

function namesIn(list: string | undefined): readonly string[] {
  const names: unknown = JSON.parse(list || '[]');
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

function dataOf(json: string | undefined): Readonly<Record<string, string>> {
  const data: unknown = JSON.parse(json || '{}');
  if (typeof data !== 'object' || data === null) return {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key.toLowerCase(), String(value ?? '')]));
}
