import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readRecords, verifyLedger } from '../../src/audit/ledger.ts';
import type { AuditRecord } from '../../src/audit/record.ts';
import type { ErrorCode } from '../../src/errors.ts';
import type { Connection } from '../agent/job-server.ts';
import type { RunResult, StepResult } from '../agent/run-result.ts';
import { type Answer, jsonAnswer } from '../servers/call.ts';
import type { ServerName } from '../servers/faults.ts';
import type { Lab } from '../servers/lab.ts';
import { ledgersOf, pipelineOf, registryStep, type Step, storageStep, warningCodes } from './pipelines.ts';
import { errorOf, runScenario, type ScenarioOptions, stageOf } from './scenario.ts';

/** The step under test is called so, and sets this variable. */
export const tokenName = 'token';
export const tokenVariable = 'SCOPED_TOKEN';

type Inputs = Readonly<Record<string, string>>;

/** A sound step for the registry, but for what `inputs` and `extra` change. */
export function registryToken(inputs: Inputs = {}, extra: Step = {}): Step {
  return registryStep({ name: tokenName, scopes: 'pull on team/app', variable: tokenVariable, ...inputs }, extra);
}

/** A sound step for the flat storage account, but for what `inputs` and `extra` change. */
export function storageToken(inputs: Inputs = {}, extra: Step = {}): Step {
  return storageStep({ name: tokenName, scopes: 'read on logs/app.json', variable: tokenVariable, ...inputs }, extra);
}

/** Fields of a connection that a test changes; `undefined` takes a field away. */
export interface ConnectionChanges {
  readonly type?: string;
  readonly scheme?: string;
  readonly issuer?: 'azureDevOps' | 'entra';
  readonly parameters?: Readonly<Record<string, string | undefined>>;
  readonly data?: Readonly<Record<string, string | undefined>>;
}

/** A tenant of the examples. */
export const knownTenant = '72f988bf-0000-4000-8000-2d7cd011db47';

/** A connection that no other test has: ids of its own, so that what is changed about its application stays with it. */
export function ownConnection(changes: ConnectionChanges = {}): Connection {
  return {
    id: randomUUID(),
    name: 'sc-own',
    type: changes.type ?? 'AzureRM',
    url: 'https://management.azure.com/',
    scheme: changes.scheme ?? 'WorkloadIdentityFederation',
    issuer: changes.issuer ?? 'azureDevOps',
    parameters: present({ tenantid: knownTenant, serviceprincipalid: randomUUID(), ...changes.parameters }),
    data: present({
      environment: 'AzureCloud',
      environmentAuthorityUrl: 'https://login.microsoftonline.com/',
      ...changes.data,
    }),
  };
}

function present(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

/** Servers whose requests are counted; the proxy's are tunnels, and counted where they matter. */
export type Counted = Extract<ServerName, 'oidc' | 'entra' | 'registry' | 'storage' | 'proxy'>;

/** What a refused step must have said and left. */
export interface Refusal {
  readonly code: ErrorCode;
  /** Phrases of the message. */
  readonly says?: readonly (string | RegExp)[];
  /** Requests by server; 0 where it is not named. The proxy's count only when named. */
  readonly requests?: Partial<Record<Counted, number>>;
  /** The provider's code in the record. */
  readonly providerCode?: string;
  /** Codes of the clean-up's warnings; none by default. */
  readonly cleanUp?: readonly string[];
  /** Events of the attached ledger; by default an intent before the failure when the OIDC route was asked. */
  readonly events?: readonly string[];
}

/**
 * Lets the agent's list of attachments be unknown. The clean-up asks for it up to three times, a second apart, in every
 * run with a ledger; what it does then has scenarios of its own.
 */
export function hideAttachmentList(lab: Lab): void {
  const notListed: Answer = jsonAnswer(404, { message: 'not listed here' });
  lab.fault('azureDevOps', (call) => (call.method === 'GET' ? notListed : undefined));
}

/** Options of {@link runSteps} beside the steps. */
export type StepOptions = Omit<Partial<ScenarioOptions>, 'pipeline'>;

/** Runs steps as a pipeline, without the clean-up's wait for attachments. */
export function runSteps(lab: Lab, steps: readonly Step[], options: StepOptions = {}): Promise<RunResult> {
  hideAttachmentList(lab);
  return runScenario(lab, { pipeline: pipelineOf(...steps), ...options });
}

/** Runs one step with a connection of its own, whose name stands in for the step's. */
export function runWithConnection(lab: Lab, connection: Connection, options: StepOptions = {}): Promise<RunResult> {
  const step = registryToken({ azureConnection: connection.name });
  return runSteps(lab, [step], { connections: [connection], ...options });
}

/** Checks everything that holds of every refused step, and what `refusal` says of this one. Returns the message. */
export function assertRefused(run: RunResult, refusal: Refusal): string {
  const step = stageOf(run, tokenName);
  const { code, message } = errorOf(step);
  assert.equal(code, refusal.code, message);
  assert.equal(step.issues.find((issue) => issue.type === 'error')?.code, refusal.code, 'code of the issue');
  assertClear(message);
  for (const phrase of refusal.says ?? []) assertSays(message, phrase);
  assert.equal(step.exitCode, 0, 'the process ended by itself');
  assertNothingSet(run);
  assertRequests(run, refusal.requests ?? {});
  assertRecorded(run, refusal);
  assertCleanUp(run, refusal.cleanUp);
  return message;
}

/** A message is for a person: what happened and what to do; nothing raw. */
export function assertClear(message: string): void {
  const lines = message.split('\n');
  assert.match(lines[0] ?? '', /^[A-Z_]+: \S.{20,}[.:]$/, 'a whole sentence says what happened');
  assert.equal(lines.filter((line) => line.startsWith('Next: ')).length, 1, `one next step: ${message}`);
  const unclear: [what: string, pattern: RegExp][] = [
    ['the word undefined', /\bundefined\b|\bNaN\b|\[object |\bnull\b/],
    ['a token', /eyJ[\w-]{8,}|sig=[\w%]{10,}/],
    [
      'a header',
      /\b(?:Bearer|Basic) [\w+/=.-]{8,}|\b(?:Authorization|WWW-Authenticate|Proxy-Authenticate|Set-Cookie):/i,
    ],
    ['markup', /<\/?[a-z!?][^>]*>/i],
    ['a stack', /\n\s+at |:\d+:\d+\)|node:internal|\.m?js:\d+/],
    ['a logging command', /##(?:vso)?\[/],
  ];
  for (const [what, pattern] of unclear) assert.doesNotMatch(message, pattern, `${what} in: ${message}`);
}

function assertSays(message: string, phrase: string | RegExp): void {
  if (typeof phrase === 'string') assert.ok(message.includes(phrase), `"${phrase}" in: ${message}`);
  else assert.match(message, phrase);
}

/** Neither the secret nor an output: nothing that the step set is there. */
export function assertNothingSet(run: RunResult, name = tokenName): void {
  assert.deepEqual(
    run.variables.filter((variable) => variable.setBy === name).map((variable) => variable.name),
    [],
    'variables of the step',
  );
  for (const step of run.steps) if (step.name === name) assert.deepEqual(step.outputVariables, []);
}

/** Requests by server. */
export function requestCounts(run: RunResult): Record<Counted, number> {
  const count = (server: Counted) => run.requests.filter((request) => request.server === server).length;
  const servers = ['oidc', 'entra', 'registry', 'storage', 'proxy'] as const satisfies readonly Counted[];
  return Object.fromEntries(servers.map((server) => [server, count(server)])) as Record<Counted, number>;
}

/** Exactly these requests, and none to a server that is not named. */
export function assertRequests(run: RunResult, wanted: Partial<Record<Counted, number>>): void {
  const { proxy, ...seen } = requestCounts(run);
  const { proxy: tunnels, ...rest } = wanted;
  assert.deepEqual(seen, { oidc: 0, entra: 0, registry: 0, storage: 0, ...rest }, 'requests');
  if (tunnels !== undefined) assert.equal(proxy, tunnels, 'tunnels');
}

/** Records of the step's last attached ledger of a kind; the ledger is sound. */
export function recordsOf(run: RunResult, kind: 'main' | 'final' = 'main', name = tokenName): readonly AuditRecord[] {
  const content = ledgersOf(run, { step: name, kind }).at(-1)?.content;
  assert.ok(content, `a ${kind} ledger of ${name} is attached`);
  const verification = verifyLedger(content);
  assert.equal(verification.state, 'consistent', JSON.stringify(verification));
  return readRecords(content).records;
}

function assertRecorded(run: RunResult, refusal: Refusal): void {
  const asked = (refusal.requests?.oidc ?? 0) > 0;
  const events = refusal.events ?? (asked ? ['intent', 'failed'] : ['failed']);
  const records = recordsOf(run);
  assert.deepEqual(
    records.map((record) => record.event),
    events,
  );
  const last = records.at(-1);
  assert.equal(last?.outcome.code, refusal.code, 'code in the ledger');
  if (refusal.providerCode) assert.equal(last?.outcome.providerCode, refusal.providerCode);
  assert.doesNotMatch(JSON.stringify(last), /\bundefined\b|<html/i);
  assert.deepEqual(recordsOf(run, 'final').slice(0, records.length), records, 'the final ledger goes on from it');
}

/** The clean-up never fails, and warns of nothing but what is expected. */
export function assertCleanUp(run: RunResult, warnings: readonly string[] = []): void {
  const step = stageOf(run, tokenName, 'post');
  assert.equal(step.result, 'Succeeded');
  assert.deepEqual(warningCodes(step), warnings);
  assert.equal(step.issues.length, warnings.length);
}

/** The step succeeded with exactly these warnings, set its variable, and left an `issued` record. */
export function assertIssued(run: RunResult, wanted: { readonly warnings?: readonly string[] } = {}): StepResult {
  const step = stageOf(run, tokenName);
  assert.deepEqual(
    step.issues.filter((issue) => issue.type === 'error'),
    [],
  );
  assert.equal(step.result, 'Succeeded');
  assert.deepEqual(warningCodes(step), wanted.warnings ?? []);
  assert.ok(
    run.variables.some((variable) => variable.name === tokenVariable && variable.secret),
    'the secret variable is set',
  );
  assert.equal(step.outputVariables.find((output) => output.name === 'issued')?.value, 'true');
  assert.deepEqual(
    recordsOf(run).map((record) => record.event),
    ['intent', 'issued'],
  );
  return step;
}

/** A token with these claims and a signature of nobody's; the lab knows it as a secret of that kind. */
export function forgedToken(lab: Lab, kind: string, claims: Readonly<Record<string, unknown>>): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signature = Buffer.from(`${randomUUID()}${randomUUID()}`).toString('base64url');
  const token = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.${signature}`;
  lab.observations.secret(kind, token);
  return token;
}
