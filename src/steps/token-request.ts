import { ScopedTokenError } from '../errors.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { variableNameMistake } from '../pipeline/variable-name.ts';
import { targets } from '../targets/registry.ts';
import type { TargetPlan } from '../targets/target.ts';
import type { Cloud } from '../token/cloud.ts';
import { formatScope, parseScopes, type Scope } from '../token/scope.ts';

/** Where evidence goes: attached by logging command, or put by REST and confirmed before the variable is set. */
export type EvidenceMode = 'attached' | 'confirmed';

/** The step's inputs as they were written; nothing is judged yet. */
export interface RawInputs {
  readonly target: string;
  readonly resource: string;
  readonly scopes: string;
  readonly purpose?: string;
}

/** What the author asked for, judged. */
export interface TokenRequest {
  readonly connectionId: string;
  readonly targetName: string;
  readonly plan: TargetPlan;
  readonly variable: string;
  readonly lifetimeSeconds: number;
  readonly evidence: EvidenceMode;
}

const longestMinutes = 7 * 24 * 60;

/** Id of the connection that the inputs name; GUIDs compare without case. */
export function connectionIdOf(pipeline: Pipeline): string | undefined {
  return pipeline.input('azureConnection')?.toLowerCase();
}

/** What the inputs say, for a record of a failure. */
export function readRawInputs(pipeline: Pipeline): RawInputs {
  const purpose = pipeline.input('purpose');
  return {
    target: pipeline.input('target') ?? 'not given',
    resource: pipeline.input('resource') ?? 'not given',
    scopes: pipeline.input('scopes') ?? '',
    ...(purpose ? { purpose } : {}),
  };
}

/** Asked scopes for a record of a failure: the canonical lines, or the lines as they were written. */
export function askedLines(scopes: string): string[] {
  const parsed = parseScopes(scopes);
  if (parsed.mistakes.length === 0) return parsed.scopes.map(formatScope);
  return scopes
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/** Judges all inputs. INPUT_INVALID or SCOPE_SYNTAX names every mistake at once. */
export async function readTokenRequest(pipeline: Pipeline, cloud: Cloud): Promise<TokenRequest> {
  const mistakes: string[] = [];
  const need = (name: string): string => {
    const value = pipeline.input(name);
    if (value === undefined) mistakes.push(`${name}: is required`);
    return value ?? '';
  };
  const connectionType = pipeline.input('connectionType') ?? 'azure';
  if (connectionType !== 'azure') mistakes.push(`connectionType: "${connectionType}" is not known; expected azure`);
  const connectionId = need('azureConnection').toLowerCase();
  const targetName = need('target');
  const entry = targets.find((target) => target.name === targetName);
  if (targetName && !entry)
    mistakes.push(`target: "${targetName}" is none of ${targets.map((target) => target.name).join(', ')}`);
  const resource = need('resource');
  const variable = pipeline.input('variable') ?? 'SCOPED_TOKEN';
  const nameMistake = variableNameMistake(variable);
  if (nameMistake) mistakes.push(`variable: "${variable}" ${nameMistake}`);
  const lifetimeSeconds = readLifetime(pipeline, mistakes);
  const evidence = readEvidence(pipeline, mistakes);
  const scopesText = need('scopes');
  const { scopes, syntax } = readScopes(scopesText);
  const target = await entry?.load();
  const plan = target?.plan({ resource, scopes, lifetimeSeconds, cloud });
  if (plan && 'mistakes' in plan)
    mistakes.push(...plan.mistakes.filter((text) => resource || !text.startsWith('resource:')));
  if (mistakes.length > 0 || syntax.length > 0 || !plan || 'mistakes' in plan) throw invalid(mistakes, syntax);
  return { connectionId, targetName, plan, variable, lifetimeSeconds, evidence };
}

/** The scopes that could be read, and what is wrong with the other lines. */
function readScopes(text: string): { scopes: readonly Scope[]; syntax: readonly string[] } {
  if (text === '') return { scopes: [], syntax: [] };
  const { scopes, mistakes } = parseScopes(text);
  return {
    scopes,
    syntax: mistakes.map(({ line, column, message }) => `scopes, line ${line}, column ${column}: ${message}`),
  };
}

function readLifetime(pipeline: Pipeline, mistakes: string[]): number {
  const text = pipeline.input('lifetimeMinutes') ?? '60';
  const minutes = Number(text);
  if (/^\d+$/.test(text) && minutes >= 1 && minutes <= longestMinutes) return minutes * 60;
  mistakes.push(`lifetimeMinutes: "${text}" is not a whole number from 1 to ${longestMinutes}`);
  return 3600;
}

function readEvidence(pipeline: Pipeline, mistakes: string[]): EvidenceMode {
  const evidence = pipeline.input('evidence') ?? 'attached';
  if (evidence === 'attached' || evidence === 'confirmed') return evidence;
  mistakes.push(`evidence: "${evidence}" is none of attached, confirmed`);
  return 'attached';
}

function invalid(mistakes: readonly string[], syntax: readonly string[]): ScopedTokenError {
  const ofScopes = mistakes.filter((mistake) => mistake.startsWith('scopes'));
  const all = [...mistakes.filter((mistake) => !ofScopes.includes(mistake)), ...syntax, ...ofScopes];
  const code = mistakes.length === 0 ? 'SCOPE_SYNTAX' : 'INPUT_INVALID';
  return new ScopedTokenError(code, {
    happened: [
      `The step's inputs cannot be used as they are (${all.length === 1 ? 'one mistake' : `${all.length} mistakes`}):`,
      ...all.map((mistake) => `  - ${mistake}`),
    ].join('\n'),
    next: 'Correct them in the YAML. A scope is written ACTION[,ACTION…] on RESOURCE, one a line. Nothing was requested and no variable was set.',
  });
}
