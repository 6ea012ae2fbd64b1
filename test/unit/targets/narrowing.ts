import assert from 'node:assert/strict';
import type { NarrowContext, Target, TargetPlan } from '../../../src/targets/target.ts';
import { type Cloud, cloudNamed } from '../../../src/token/cloud.ts';
import type { Credential } from '../../../src/token/credential.ts';
import { Secret } from '../../../src/token/secret.ts';
import type { Call } from '../steps/fake-pipeline.ts';
import { FakeWorld, type Responder } from '../steps/fake-world.ts';
import { scopesOf } from './scopes-of.ts';

/** The public cloud. */
export const azure: Cloud = cloudNamed('AzureCloud') ?? assert.fail('the public cloud is in the table');

/** A wide credential. */
export const credential: Credential = {
  token: new Secret('eyJ-wide-credential'),
  expiresOn: new Date('2026-03-01T13:00:00Z'),
  identity: {
    source: 'workloadIdentityFederation',
    tenantId: '77777777-7777-4777-8777-777777777777',
    clientId: '88888888-8888-4888-8888-888888888888',
    objectId: 'object-1',
  },
  ids: {},
};

/** What a target makes of resource and scopes: its plan. */
export function planOf(target: Target, resource: string, scopes: string, lifetimeSeconds = 3_600): TargetPlan {
  const plan = target.plan({ resource, scopes: scopesOf(scopes), lifetimeSeconds, cloud: azure });
  if ('mistakes' in plan) assert.fail(plan.mistakes.join('\n'));
  return plan;
}

/** What a target finds wrong with resource and scopes. */
export function mistakesOf(target: Target, resource: string, scopes: string, cloud: Cloud = azure): readonly string[] {
  const plan = target.plan({ resource, scopes: scopesOf(scopes), lifetimeSeconds: 3_600, cloud });
  return 'mistakes' in plan ? plan.mistakes : [];
}

/** Narrows in a fake world, and keeps what happened in order. */
export function narrowIn(plan: TargetPlan, respond: Responder, prepare: (world: FakeWorld) => void = () => undefined) {
  const calls: Call[] = [];
  const world = new FakeWorld(calls, respond);
  prepare(world);
  const mask = (value: Secret) => void calls.push(['mask', value.reveal()]);
  const context: NarrowContext = { io: world, mask, correlationId: 'record-1' };
  const masked = () => calls.filter(([name]) => name === 'mask').map(([, value]) => value);
  return { world, calls, masked, result: plan.narrow(credential, context) };
}
