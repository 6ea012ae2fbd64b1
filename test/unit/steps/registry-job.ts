import assert from 'node:assert/strict';
import { readRecords } from '../../../src/audit/ledger.ts';
import type { AuditRecord } from '../../../src/audit/record.ts';
import type { HttpRequest } from '../../../src/io/http.ts';
import type { Stage } from '../../../src/steps/stage.ts';
import { type Call, connectionId, FakePipeline } from './fake-pipeline.ts';
import { type Answer, FakeWorld, json, jwtOf } from './fake-world.ts';

/** Everything in a registry job that must never be seen outside of a mask or the variable. */
export const tokens = {
  assertion: jwtOf({
    iss: 'https://vstoken.dev.azure.com/org',
    sub: 'sc://contoso/shop/deploy',
    aud: 'api://AzureADTokenExchange',
  }),
  entra: jwtOf({ aud: 'https://containerregistry.azure.net', oid: 'object-1', uti: 'uti-1' }, 'ZW50cmE'),
  refresh: jwtOf({ grant_type: 'refresh_token' }, 'cmVmcmVzaA'),
  access: accessToken([{ type: 'repository', name: 'team/app', actions: ['pull'] }]),
};

/** A registry's access token for that access; it ends at 13:00. */
export function accessToken(access: unknown): string {
  return jwtOf({ access, exp: Date.parse('2026-03-01T13:00:00Z') / 1000 });
}

/** The routes of a registry job, by name. */
export type Route = 'oidc' | 'entra' | 'exchange' | 'token' | 'put' | 'list';

/** Which route a request is for. */
export function routeOf({ method, url }: HttpRequest): Route {
  if (url.includes('/oidctoken')) return 'oidc';
  if (url.includes('login.microsoftonline.com')) return 'entra';
  if (url.endsWith('/oauth2/exchange')) return 'exchange';
  if (url.endsWith('/oauth2/token')) return 'token';
  return method === 'PUT' ? 'put' : 'list';
}

const wellAnswers: Readonly<Record<Route, Answer>> = {
  oidc: json({ oidcToken: tokens.assertion }),
  entra: json({ token_type: 'Bearer', expires_in: 3600, access_token: tokens.entra }),
  exchange: json({ refresh_token: tokens.refresh }),
  token: json({ access_token: tokens.access }),
  put: { status: 201 },
  list: json({ value: [] }),
};

/** A job whose step asks for `pull on team/app`, before or after its pre-job stage. */
export interface RegistryJob {
  readonly pipeline: FakePipeline;
  readonly world: FakeWorld;
  readonly stage: Stage;
  /** Every call since the pre-job stage, in order. */
  readonly calls: Call[];
  /** Answers by route; they may be changed. */
  readonly answers: Record<Route, Answer>;
  /** Records in the newest ledger file. */
  records(): readonly AuditRecord[];
  /** Names of the calls, with the route of a request and the name of a variable. */
  names(): string[];
}

/** Makes such a job. `freeze` is the pre-job stage's work; `prepare` changes the job before it. */
export async function registryJob(
  freeze: (stage: Stage) => Promise<void>,
  answers: Partial<Record<Route, Answer>> = {},
  prepare: (pipeline: FakePipeline) => void = () => undefined,
): Promise<RegistryJob> {
  const calls: Call[] = [];
  const pipeline = new FakePipeline(calls);
  const all = { ...wellAnswers, ...answers };
  const world = new FakeWorld(calls, (request) => all[routeOf(request)]);
  pipeline.inputs = {
    azureConnection: connectionId,
    target: 'containerRegistry',
    resource: 'contoso.azurecr.io',
    scopes: 'pull on team/app',
  };
  const stage = { pipeline, io: world, refusedVariables: [] };
  prepare(pipeline);
  await freeze(stage);
  calls.length = 0;
  return {
    pipeline,
    world,
    stage,
    calls,
    answers: all,
    records: () => readRecords([...world.stored.values()].at(-1) ?? '').records,
    names: () =>
      calls.map(([name, first, second]) => {
        if (name === 'request') return `request ${routeOf({ method: first, url: second } as HttpRequest)}`;
        return name.startsWith('set') ? `${name} ${first}` : name;
      }),
  };
}

/** Asserts that the step exposed nothing, and showed none of its tokens but to the masker. */
export function assertNothingSet({ calls }: RegistryJob): void {
  const exposing = calls.filter(([name]) => name === 'setSecretVariable' || name === 'setOutput');
  assert.deepEqual(exposing, []);
  assertNoTokenShown(calls);
}

/** Asserts that no token stands in anything but a mask or the variable, and that its mask came first. */
export function assertNoTokenShown(calls: readonly Call[]): void {
  for (const [name, token] of Object.entries(tokens)) {
    const places = calls.filter((call) => call.some((value) => value.includes(token))).map(([place]) => place);
    assert.ok(places.length === 0 || places[0] === 'mask', `${name} was first in: ${places.join()}`);
    const elsewhere = places.filter(
      (place) => place !== 'mask' && !(place === 'setSecretVariable' && name === 'access'),
    );
    assert.deepEqual(elsewhere, [], `${name} stands elsewhere`);
  }
  assert.ok(!JSON.stringify(calls).includes('job-access-token'));
}
