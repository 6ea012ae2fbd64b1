import assert from 'node:assert/strict';
import type { AttachmentResult, RunResult, StepResult } from '../agent/run-result.ts';

/** One entry of `steps:`, as its YAML says it. */
export type Step = Readonly<Record<string, unknown>>;

/** Text of a pipeline with these steps. JSON is YAML, and leaves no doubt about quotes and blanks. */
export function pipelineOf(...steps: readonly Step[]): string {
  return JSON.stringify({ steps }, undefined, 1);
}

/** Inputs of the task, of which `name` names the step. */
export type TokenInputs = Readonly<Record<string, string>> & { readonly name: string; readonly scopes: string };

/** A step that asks for a signature on the flat account; `extra` is what else the step says. */
export function storageStep({ name, ...inputs }: TokenInputs, extra: Step = {}): Step {
  const usual = {
    azureConnection: 'sc-logs',
    target: 'storage',
    resource: 'https://contosodata.blob.core.windows.net',
    variable: 'STORAGE_SAS',
  };
  return { task: 'ScopedToken@1', name, inputs: { ...usual, ...inputs }, ...extra };
}

/** A step that asks for a registry token. Its lifetime is the registry's own, so that nothing is warned about. */
export function registryStep({ name, ...inputs }: TokenInputs, extra: Step = {}): Step {
  const usual = {
    azureConnection: 'sc-images',
    target: 'containerRegistry',
    resource: 'contoso.azurecr.io',
    variable: 'REGISTRY_TOKEN',
    lifetimeMinutes: '75',
  };
  return { task: 'ScopedToken@1', name, inputs: { ...usual, ...inputs }, ...extra };
}

/** A script step; `env` maps names to values such as `$(STORAGE_SAS)`. */
export function scriptStep(lines: string | readonly string[], env: Readonly<Record<string, string>> = {}): Step {
  return { script: typeof lines === 'string' ? lines : lines.join('\n'), env };
}

/** One request that curl makes from a script. The address may hold the shell's variables. */
export interface CurlRequest {
  /** Letters, digits, blanks and commas. */
  readonly label: string;
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';
  readonly headers?: readonly string[];
  /** Text of the body. */
  readonly body?: string;
}

/**
 * Lines of a script that makes all requests with one curl, and prints `LABEL -> STATUS` for each. Addresses and headers
 * go over standard input, so that no secret stands in an argument.
 */
export function curlLines(requests: readonly CurlRequest[]): string {
  const blocks = requests.map(({ label, url, method = 'GET', headers = [], body }) => {
    const sends = method === 'PUT' || method === 'POST' || method === 'PATCH';
    return [
      `url = "${url}"`,
      'silent',
      'show-error',
      'output = "/dev/null"',
      `write-out = "${label} -> %{http_code}\\n"`,
      ...(method === 'HEAD' ? ['head'] : [`request = "${method}"`]),
      ...(sends || body !== undefined ? [`data-binary = "${body ?? ''}"`] : []),
      ...headers.map((header) => `header = "${header}"`),
    ].join('\n');
  });
  // The log shows the script's file name only, so the heredoc may hold what the environment does.
  return `curl --config - <<END\n${blocks.join('\nnext\n')}\nEND`;
}

/** What {@link curlLines} printed: status by label. */
export function statusesOf(run: RunResult): Readonly<Record<string, number>> {
  const found = run.log.map((line) => /^([\w ,]+) -> (\d{3})$/.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(found.map(([, label = '', status = '']) => [label, Number(status)]));
}

/** The value after `LABEL: ` in the one log line that begins so. */
export function printed(run: RunResult, label: string): string {
  const lines = run.log.filter((line) => line.startsWith(`${label}: `));
  assert.equal(lines.length, 1, `one line "${label}: …", not ${lines.length}`);
  return lines[0]?.slice(label.length + 2) ?? '';
}

/** Output variables of a stage by name; `undefined` stands for a secret one. */
export function outputsOf(step: StepResult): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(step.outputVariables.map(({ name, value }) => [name, value]));
}

/** Codes of the stage's own warnings; the agent's have none. */
export function warningCodes(step: StepResult): readonly string[] {
  return step.issues
    .filter(({ type }) => type === 'warning')
    .map(({ message }) => /^([A-Z_]+): /.exec(message)?.[1] ?? message);
}

/** Names of the variables that the steps of a run have set, outputs not among them. */
export function variablesSet(run: RunResult): readonly string[] {
  return run.variables.filter(({ name, setBy }) => setBy !== undefined && !name.includes('.')).map(({ name }) => name);
}

/** The ledgers of a run, in the order of their upload; of one step and kind where that is said. */
export function ledgersOf(
  run: RunResult,
  wanted: { readonly step?: string; readonly kind?: 'main' | 'final' } = {},
): readonly AttachmentResult[] {
  return run.attachments.filter(
    ({ type, name, step }) =>
      type === 'scoped-token.ledger' &&
      (wanted.step === undefined || step === wanted.step) &&
      (wanted.kind === undefined || name.endsWith(`-${wanted.kind}.jsonl`)),
  );
}

/** The heads that the stages of a run printed, in the order of the log. */
export function headsOf(run: RunResult): readonly string[] {
  return run.log
    .map((line) => /^Ledger head: ([0-9a-f]{64}) after \d+ records?$/.exec(line)?.[1])
    .filter((head) => head !== undefined);
}
