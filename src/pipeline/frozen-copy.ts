import { ScopedTokenError } from '../errors.ts';
import { sha256Hex } from '../token/text-forms.ts';
import type { Pipeline } from './pipeline.ts';

/** Name of the secret task variable that carries the copy from the pre-job stage to the main stage. */
export const frozenVariable = 'ScopedTokenFrozen';

/** Facts by name. A fact that may be secret is held as a digest. */
export type FrozenFacts = Readonly<Record<string, string>>;

/** Variables that decide where credentials come from and go to. */
const frozenVariables = [
  'System.CollectionUri',
  'System.TeamFoundationCollectionUri',
  'System.TeamProjectId',
  'System.PlanId',
  'System.JobId',
  'System.TimelineId',
  'System.TaskInstanceId',
  'System.HostType',
  'System.ServerType',
  'System.JobAttempt',
  'System.OidcRequestUri',
  'Build.BuildId',
  'Agent.TempDirectory',
  'Agent.ProxyUrl',
  'Agent.ProxyUsername',
  'Agent.ProxyBypassList',
  'Agent.CAInfo',
  'Agent.SkipCertValidation',
];

const secretVariables = ['Agent.ProxyPassword'];

/** Reads every fact that the pre-job stage freezes. */
export function readFrozenFacts(pipeline: Pipeline, connectionId: string | undefined): FrozenFacts {
  const facts: Record<string, string> = {};
  for (const name of frozenVariables) facts[`variable ${name}`] = pipeline.variable(name) ?? '';
  for (const name of secretVariables) facts[`variable ${name}`] = digest(pipeline.secretVariable(name)?.reveal());
  facts['collection of the system connection'] = pipeline.systemConnection()?.url ?? '';
  facts['connection id'] = connectionId ?? '';
  const connection = connectionId ? pipeline.connection(connectionId) : undefined;
  if (!connection) return facts;
  facts['connection url'] = connection.url;
  facts['connection scheme'] = connection.scheme;
  for (const [key, value] of Object.entries(connection.parameters)) {
    facts[`connection parameter ${key}`] = digest(value.reveal());
  }
  for (const [key, value] of Object.entries(connection.data)) facts[`connection data ${key}`] = value;
  return facts;
}

/**
 * Compares what the pre-job stage froze with what stands there now. FROZEN_COPY_MISSING when there is no copy,
 * FROZEN_COPY_DIFFERS when an earlier step changed something, naming it.
 */
export function compareFrozen(stored: string | undefined, now: FrozenFacts): void {
  const before = parseFrozen(stored);
  if (!before) throw missingCopy();
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const changed = names.filter((name) => (before[name] ?? '') !== (now[name] ?? '')).sort();
  if (changed.length === 0) return;
  throw new ScopedTokenError('FROZEN_COPY_DIFFERS', {
    happened: `Since the job began, this was changed: ${changed.map((name) => change(name, before[name], now[name])).join('; ')}.`,
    why: 'A step before this one, or the pre-job stage of another task, rewrote what decides where credentials come from and go to.',
    next: 'Find the step whose script or tool prints the logging command task.setvariable or task.setendpoint for it, and remove that. No credential was requested.',
  });
}

function parseFrozen(stored: string | undefined): FrozenFacts | undefined {
  if (!stored) return undefined;
  try {
    const facts: unknown = JSON.parse(stored);
    return typeof facts === 'object' && facts !== null ? (facts as FrozenFacts) : undefined;
  } catch {
    return undefined;
  }
}

function missingCopy(): ScopedTokenError {
  return new ScopedTokenError('FROZEN_COPY_MISSING', {
    happened:
      'The pre-job stage of this step left no copy of the connection, so nothing shows that its fields are still the administrator’s.',
    why: 'The pre-job stage runs before every step, under this step’s own condition; a condition that is only true later (a variable that a step sets, failed()) skips it.',
    next: 'Put the condition on the job, or on the steps that use the token, and leave this step’s condition as succeeded().',
  });
}

function change(name: string, before: string | undefined, now: string | undefined): string {
  // The agent takes every authorization parameter for a secret, the ids among them too.
  if ([before, now].some((value) => value?.startsWith('sha256:'))) return `${name} (its value is not shown)`;
  return `${name} (was ${quoted(before)}, is ${quoted(now)})`;
}

function quoted(value: string | undefined): string {
  // An address may hold a user name and a password.
  return value ? `"${value.replace(/\/\/[^/@\s]*@/, '//').replace(/[\r\n]+/g, ' ')}"` : 'not set';
}

function digest(value: string | undefined): string {
  return value ? `sha256:${sha256Hex(value)}` : '';
}
