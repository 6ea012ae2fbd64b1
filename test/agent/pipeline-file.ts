import { existsSync, readFileSync } from 'node:fs';
import { PipelineRefused } from './refusal.ts';
import { isMap, readYaml, refuseUnknownKeys, scalarText, textMap, type YamlMap } from './yaml-shape.ts';

/** A `variables:` entry. */
export interface PipelineVariable {
  readonly name: string;
  readonly value: string;
  readonly readOnly: boolean;
}

/** What `target:` restricts; the place to run on is chosen by the caller. */
export interface StepTarget {
  readonly restricted: boolean;
  /** `undefined`: all; empty: none. */
  readonly settableVariables?: readonly string[];
}

/** One entry of `steps:`. */
export interface PipelineStep {
  /** `Name@major`, or the shell line. */
  readonly work:
    | { readonly kind: 'task'; readonly task: string; readonly major: number }
    | { readonly kind: 'script'; readonly script: string; readonly workingDirectory?: string };
  readonly name?: string;
  readonly displayName?: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly condition: string;
  readonly continueOnError: boolean;
  readonly enabled: boolean;
  readonly retryCountOnTaskFailure: number;
  /** Fractions are allowed here, so that tests need not wait for a minute. */
  readonly timeoutInMinutes: number;
  readonly target: StepTarget;
}

/** A pipeline of one job. */
export interface Pipeline {
  readonly variables: readonly PipelineVariable[];
  readonly steps: readonly PipelineStep[];
}

type Place = [where: string, mistakes: string[]];

const pipelineKeys = ['name', 'trigger', 'pr', 'pool', 'variables', 'steps', 'connections', 'schedules', 'resources'];
const stepKeys = [
  ...['task', 'script', 'bash', 'checkout', 'name', 'displayName', 'inputs', 'env', 'condition', 'continueOnError'],
  ...['enabled', 'retryCountOnTaskFailure', 'timeoutInMinutes', 'target', 'workingDirectory'],
];

function readBoolean(step: YamlMap, key: string, fallback: boolean): boolean {
  const text = scalarText(step[key])?.toLowerCase();
  return text === undefined ? fallback : text === 'true';
}

function readNumber(step: YamlMap, key: string, [where, mistakes]: Place): number {
  const text = scalarText(step[key]) ?? '0';
  const number = Number(text);
  if (!(number >= 0)) {
    mistakes.push(`${where}.${key}: expected a number that is not negative, found '${text}'`);
    return 0;
  }
  return number;
}

function readTarget(value: unknown, [where, mistakes]: Place): StepTarget {
  if (!isMap(value)) {
    return { restricted: false };
  }
  refuseUnknownKeys(value, ['container', 'commands', 'settableVariables'], [`${where}.target`, mistakes]);
  const settable = value['settableVariables'];
  const target = { restricted: scalarText(value['commands'])?.toLowerCase() === 'restricted' };
  if (settable === undefined) {
    return target;
  }
  if (settable === 'none') {
    return { ...target, settableVariables: [] };
  }
  if (!Array.isArray(settable)) {
    mistakes.push(`${where}.target.settableVariables: expected 'none' or a list`);
    return target;
  }
  return { ...target, settableVariables: settable.map(String) };
}

function readWork(step: YamlMap, [where, mistakes]: Place): PipelineStep['work'] | undefined {
  const script = scalarText(step['script'] ?? step['bash']);
  const workingDirectory = scalarText(step['workingDirectory']);
  if (script !== undefined) {
    return { kind: 'script', script, ...(workingDirectory === undefined ? {} : { workingDirectory }) };
  }
  const reference = /^([^@]+)@(\d+)(?:\.\d+)*$/.exec(scalarText(step['task'])?.trim() ?? '');
  if (reference === null) {
    mistakes.push(`${where}: expected task: Name@major, script: or bash:`);
    return undefined;
  }
  return { kind: 'task', task: reference[1] ?? '', major: Number(reference[2]) };
}

function optionalText<Key extends string>(step: YamlMap, key: Key): { readonly [K in Key]?: string } {
  const text = scalarText(step[key]);
  return (text === undefined ? {} : { [key]: text }) as { readonly [K in Key]?: string };
}

function readStep(step: YamlMap, place: Place): PipelineStep | undefined {
  const [where, mistakes] = place;
  refuseUnknownKeys(step, stepKeys, place);
  const work = readWork(step, place);
  const name = scalarText(step['name']);
  if (name !== undefined && !/^[A-Za-z_]\w*$/.test(name)) {
    mistakes.push(`${where}.name: '${name}' may hold letters, digits and underscores only`);
  }
  if (work === undefined) {
    return undefined;
  }
  return {
    work,
    ...optionalText(step, 'name'),
    ...optionalText(step, 'displayName'),
    inputs: textMap(step['inputs'], `${where}.inputs`, mistakes),
    env: textMap(step['env'], `${where}.env`, mistakes),
    // A condition of one's own replaces the default, and with it the check for success.
    condition: scalarText(step['condition'])?.trim() || 'succeeded()',
    continueOnError: readBoolean(step, 'continueOnError', false),
    enabled: readBoolean(step, 'enabled', true),
    retryCountOnTaskFailure: readNumber(step, 'retryCountOnTaskFailure', place),
    timeoutInMinutes: readNumber(step, 'timeoutInMinutes', place),
    target: readTarget(step['target'], place),
  };
}

function readVariables(value: unknown, mistakes: string[]): PipelineVariable[] {
  if (!Array.isArray(value)) {
    const map = textMap(value, 'variables', mistakes);
    return Object.entries(map).map(([name, text]) => ({ name, value: text, readOnly: false }));
  }
  return value.flatMap((entry: unknown, index) => {
    const name = isMap(entry) ? scalarText(entry['name']) : undefined;
    if (!isMap(entry) || name === undefined) {
      mistakes.push(`variables[${index}]: expected name and value; groups and templates are not supported here`);
      return [];
    }
    return [{ name, value: scalarText(entry['value']) ?? '', readOnly: readBoolean(entry, 'readonly', false) }];
  });
}

function readSteps(value: unknown, mistakes: string[]): PipelineStep[] {
  if (!Array.isArray(value)) {
    mistakes.push('expected a list under the key steps; stages and jobs are not supported here');
    return [];
  }
  return value.flatMap((entry: unknown, index) => {
    const where = `steps[${index}]`;
    if (!isMap(entry)) {
      mistakes.push(`${where}: expected a map`);
      return [];
    }
    // There are no sources here, so a checkout has nothing to do.
    const step = entry['checkout'] === undefined ? readStep(entry, [where, mistakes]) : undefined;
    return step === undefined ? [] : [step];
  });
}

/**
 * Parses the YAML of a pipeline with one implicit job.
 * @throws PipelineRefused with every mistake found
 */
export function parsePipeline(text: string): Pipeline {
  const mistakes: string[] = [];
  const root = readYaml(text, mistakes);
  let pipeline: Pipeline = { variables: [], steps: [] };
  if (isMap(root)) {
    refuseUnknownKeys(root, pipelineKeys, ['pipeline', mistakes]);
    if (text.includes('${{')) {
      mistakes.push('template expressions (${{ }}) are not supported here');
    }
    pipeline = { variables: readVariables(root['variables'], mistakes), steps: readSteps(root['steps'], mistakes) };
  } else if (mistakes.length === 0) {
    mistakes.push('expected a map with the key steps');
  }
  if (mistakes.length > 0) {
    throw new PipelineRefused(mistakes.map((mistake) => `pipeline: ${mistake}`));
  }
  return pipeline;
}

/** Takes a path or the YAML itself: whatever spans lines is YAML. */
export function loadPipeline(source: string): Pipeline {
  if (source.includes('\n')) {
    return parsePipeline(source);
  }
  if (!existsSync(source)) {
    throw new PipelineRefused([`pipeline: there is no file ${source}`]);
  }
  return parsePipeline(readFileSync(source, 'utf8'));
}
