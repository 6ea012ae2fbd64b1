import assert from 'node:assert/strict';
import { ScopedTokenError } from '../../../src/errors.ts';
import { readJobContext } from '../../../src/pipeline/job-context.ts';
import { draftRecord, whereOf, whoOf } from '../../../src/steps/record-draft.ts';
import { asScopedTokenError, networkSettings } from '../../../src/steps/stage.ts';
import { writeFailure } from '../../../src/steps/step-ledger.ts';
import { readTries, storeTry } from '../../../src/steps/step-state.ts';
import { Secret } from '../../../src/token/secret.ts';
import { connectionId, FakePipeline } from './fake-pipeline.ts';
import { FakeWorld } from './fake-world.ts';

describe('the network settings of the agent', () => {
  it('are taken as they are, the password as a secret', () => {
    const pipeline = new FakePipeline();
    Object.assign(pipeline.variables, {
      'Agent.ProxyUrl': 'http://proxy.contoso.example:8080',
      'Agent.ProxyUsername': 'CORP\\svc',
      'Agent.ProxyBypassList': '["a"]',
      'Agent.CAInfo': '/agent/ca.pem',
      'Agent.SkipCertValidation': 'True',
    });
    pipeline.secretVariables['Agent.ProxyPassword'] = 'hunter2';
    const { warn, mask, proxyPassword, ...rest } = networkSettings(pipeline);
    assert.equal(proxyPassword?.reveal(), 'hunter2');
    assert.deepEqual(rest, {
      proxyUrl: 'http://proxy.contoso.example:8080',
      proxyUsername: 'CORP\\svc',
      proxyBypassList: '["a"]',
      caFile: '/agent/ca.pem',
    });
    mask(new Secret('a value'));
    assert.deepEqual(pipeline.of('mask'), [['a value']]);
    warn('a warning');
    assert.deepEqual(pipeline.of('warning'), [['PROXY_SETTINGS', 'a warning']]);
  });

  it('are none where the agent has none', () => {
    assert.deepEqual(Object.keys(networkSettings(new FakePipeline())), ['mask', 'warn']);
  });
});

describe('a failure that nobody knows', () => {
  it('becomes INTERNAL, with its details kept private', () => {
    const known = new ScopedTokenError('CANCELLED', { happened: 'A.', next: 'B.' });
    assert.equal(asScopedTokenError(known), known);
    for (const odd of [
      new TypeError('secret detail'),
      'secret detail',
      undefined,
      null,
      { message: 'secret detail' },
    ]) {
      const error = asScopedTokenError(odd);
      assert.equal(error.code, 'INTERNAL');
      assert.equal(error.cause, odd);
      assert.doesNotMatch(error.message, /secret detail/);
    }
    assert.match(asScopedTokenError(new TypeError('x')).message, /\(TypeError\)/);
  });
});

describe('a record that cannot be written', () => {
  it('says why', () => {
    assert.match(writeFailure(Object.assign(new Error('x'), { code: 'ENOSPC' })).message, /\(ENOSPC\)[\s\S]*is full/);
    assert.match(
      writeFailure(Object.assign(new Error('x'), { code: 'EACCES' })).message,
      /\(EACCES\)[\s\S]*cannot be written to/,
    );
    assert.match(writeFailure(undefined).message, /could not be written\.\n/);
  });
});

describe('the state between stages', () => {
  const job = {
    ...{ organisation: 'contoso', projectId: 'p', planId: 'l', jobId: 'j', stepId: 's', hostType: 'build' },
    ...{ jobAttempt: 1, tempFolder: '/temp', facts: {} },
  };
  const state = (count: number, head: string) =>
    ({ try: count, file: `/f${count}`, head, attachment: `a${count}`, evidence: 'attached', job }) as const;

  it('is a list with the newest state of every try', () => {
    const pipeline = new FakePipeline();
    assert.deepEqual(readTries(pipeline), []);
    storeTry(pipeline, state(1, 'a'));
    storeTry(pipeline, state(1, 'b'));
    storeTry(pipeline, state(2, 'c'));
    assert.deepEqual(readTries(pipeline), [state(1, 'b'), state(2, 'c')]);
    for (const [, value] of pipeline.of('setTaskVariable')) assert.doesNotMatch(value ?? '', /[\r\n]/);
  });

  it('is refused where it is nothing that this task left', () => {
    for (const value of ['x{', '{}', '[null]', '[{}]', '[{"try":1,"file":"/etc/passwd"}]', 'null']) {
      const pipeline = new FakePipeline();
      pipeline.setTaskVariable('ScopedTokenState', value);
      assert.throws(() => readTries(pipeline), { code: 'LEDGER_TAMPERED' }, value);
    }
  });
});

describe('the draft of a record', () => {
  const job = readJobContext(new FakePipeline());
  const base = {
    who: whoOf(job, connectionId),
    what: { target: 't', resource: 'r', asked: [] },
    where: whereOf(job, 1),
  };

  it('has its own id, the id of its intent, and the agent’s times', () => {
    const world = new FakeWorld();
    const first = draftRecord(base, { event: 'intent', outcome: { code: 'OK' } }, undefined, world);
    assert.equal(first.intentId, first.recordId);
    assert.equal(first.time, '2026-03-01T12:00:00.500Z');
    assert.equal(first.monotonicMilliseconds, 1_000);
    assert.ok(!('issuer' in first) && !('token' in first));
    const second = draftRecord(base, { event: 'issued', outcome: { code: 'OK' } }, first.recordId, world);
    assert.notEqual(second.recordId, first.recordId);
    assert.equal(second.intentId, first.recordId);
  });

  it('has what is known of the issuer: its date, the skew, the ids', () => {
    const world = new FakeWorld();
    const event = { event: 'issued', outcome: { code: 'OK' } } as const;
    assert.deepEqual(draftRecord(base, { ...event, ids: { a: 'b' } }, 'x', world).issuer, { ids: { a: 'b' } });
    assert.equal(draftRecord(base, { ...event, ids: {} }, 'x', world).issuer, undefined);
    world.date = new Date('2026-03-01T11:58:00Z');
    world.skew = 120;
    const date = '2026-03-01T11:58:00.000Z';
    assert.deepEqual(draftRecord(base, { ...event, ids: {} }, 'x', world).issuer, { date, skewSeconds: 120 });
    assert.deepEqual(draftRecord(base, { ...event, ids: { a: 'b' } }, 'x', world).issuer, {
      date,
      skewSeconds: 120,
      ids: { a: 'b' },
    });
    assert.ok(!('ids' in draftRecord(base, { ...event, ids: { a: 'b' } }, 'x', world)));
  });

  it('says which facts came from variables', () => {
    const where = whereOf(job, 3);
    assert.equal(where.try, 3);
    assert.equal(where.runId, '42');
    assert.deepEqual(where.fromVariables, ['project', 'requestedFor']);
    assert.ok(!('requestedFor' in where));
  });

  it('names the connection only where the subject of the assertion does', () => {
    const identity = { source: 's', tenantId: 't', clientId: 'c' };
    const nameFrom = (assertionSubject: string) =>
      whoOf(job, connectionId, { ...identity, assertionSubject }).connectionName;
    assert.equal(nameFrom('sc://contoso/shop/deploy'), 'deploy');
    assert.equal(nameFrom('sc://contoso/shop/a/b c'), 'a/b c');
    for (const subject of ['/eid1/c/pub/t/x/a/y/sc/z', 'sc://contoso/shop/', 'sc://contoso/shop', 'xsc://a/b/c', ''])
      assert.equal(nameFrom(subject), undefined);
    assert.deepEqual(whoOf(job, undefined), { requestedFor: 'Release service' });
  });
});
