import assert from 'node:assert/strict';
import { cloudNamed } from '../../../src/token/cloud.ts';
import { failureOf } from '../io/outcome.ts';
import { connectionId, FakePipeline } from './fake-pipeline.ts';

// With an await at its top level the file is loaded as an ES module, and every module that it reaches stands once.
const { askedLines, connectionIdOf, readRawInputs, readTokenRequest } = await import(
  '../../../src/steps/token-request.ts'
);

const cloud = cloudNamed('AzureCloud') ?? assert.fail();
const good = {
  azureConnection: connectionId,
  target: 'containerRegistry',
  resource: 'contoso.azurecr.io',
  scopes: 'pull on team/app',
};

const read = (inputs: Record<string, string>) => {
  const pipeline = new FakePipeline();
  pipeline.inputs = inputs;
  return readTokenRequest(pipeline, cloud);
};
const mistakesOf = async (inputs: Record<string, string>, code: 'INPUT_INVALID' | 'SCOPE_SYNTAX' = 'INPUT_INVALID') =>
  (await failureOf(read(inputs), code)).text.happened.split('\n').slice(1);

describe('the inputs', () => {
  it('have the defaults that the product names', async () => {
    const request = await read(good);
    assert.equal(request.connectionId, connectionId);
    assert.equal(request.variable, 'SCOPED_TOKEN');
    assert.equal(request.lifetimeSeconds, 3_600);
    assert.equal(request.evidence, 'attached');
    assert.equal(request.targetName, 'containerRegistry');
    assert.deepEqual(request.plan.asked, ['pull on team/app']);
  });

  it('are taken as they are given', async () => {
    const request = await read({
      ...good,
      azureConnection: connectionId.toUpperCase(),
      connectionType: 'azure',
      variable: 'my.token',
      lifetimeMinutes: '007',
      evidence: 'confirmed',
    });
    assert.deepEqual(
      [request.connectionId, request.variable, request.lifetimeSeconds, request.evidence],
      [connectionId, 'my.token', 420, 'confirmed'],
    );
  });

  it('report every mistake at once', async () => {
    const mistakes = await mistakesOf({
      connectionType: 'agentIdentity',
      variable: 'PATH',
      lifetimeMinutes: 'long',
      evidence: 'maybe',
      target: 'nothing',
    });
    assert.deepEqual(
      mistakes.map((mistake) => mistake.trim().split(':')[0]),
      [
        '- connectionType',
        '- azureConnection',
        '- target',
        '- resource',
        '- variable',
        '- lifetimeMinutes',
        '- evidence',
        '- scopes',
      ],
    );
    assert.equal((await mistakesOf({})).length, 4, 'the four that are required');
  });

  it('report what the target finds beside it', async () => {
    const mistakes = await mistakesOf({
      ...good,
      resource: 'contoso.azurecr.io.evil.example',
      scopes: 'read on A',
      evidence: 'maybe',
    });
    assert.deepEqual(
      mistakes.map((mistake) => mistake.trim().split(/[:,]/)[0]),
      ['- evidence', '- resource', '- scopes', '- scopes'],
    );
  });

  it('are SCOPE_SYNTAX where only the scopes do not parse, with place and all lines', async () => {
    const mistakes = await mistakesOf({ ...good, scopes: 'pull,\n\npull  on a' }, 'SCOPE_SYNTAX');
    assert.equal(mistakes.length, 2);
    assert.match(mistakes[0] ?? '', /scopes, line 1, column 6: expected an action/);
    assert.match(mistakes[1] ?? '', /scopes, line 3, column 5: /);
    const error = await failureOf(read({ ...good, scopes: '# nothing' }), 'SCOPE_SYNTAX');
    assert.match(error.message, /\(one mistake\)/);
  });

  it('report a wrong resource also where the scopes do not parse', async () => {
    const mistakes = await mistakesOf({ ...good, resource: 'contoso.azurecr.io.evil.example', scopes: 'pull,' });
    assert.deepEqual(mistakes.map((mistake) => mistake.trim().split(/[:,]/)[0]).sort(), ['- resource', '- scopes']);
  });

  it('take whole minutes from one to seven days', async () => {
    for (const lifetimeMinutes of ['1', '60', '10080']) {
      assert.equal((await read({ ...good, lifetimeMinutes })).lifetimeSeconds, Number(lifetimeMinutes) * 60);
    }
    for (const lifetimeMinutes of [
      '0',
      '-1',
      '1.5',
      '1e2',
      '0x10',
      '10081',
      '9'.repeat(400),
      '６０',
      '60 min',
      'Infinity',
    ]) {
      assert.match(
        (await mistakesOf({ ...good, lifetimeMinutes })).join(),
        /lifetimeMinutes: .* is not a whole number from 1 to 10080/,
        lifetimeMinutes,
      );
    }
  });

  it('name a target of the list, not a property of something', async () => {
    for (const target of ['constructor', '__proto__', 'toString', 'Storage', 'storage ']) {
      if (target.trim() === 'storage') continue;
      assert.match((await mistakesOf({ ...good, target })).join(), /is none of storage, containerRegistry/);
    }
  });

  it('are told to a record as they were written', () => {
    const pipeline = new FakePipeline();
    pipeline.inputs = {};
    assert.deepEqual(readRawInputs(pipeline), { target: 'not given', resource: 'not given', scopes: '' });
    assert.equal(connectionIdOf(pipeline), undefined);
    pipeline.inputs = { ...good, azureConnection: 'ABC', purpose: ' why ' };
    assert.deepEqual(readRawInputs(pipeline), {
      target: good.target,
      resource: good.resource,
      scopes: good.scopes,
      purpose: 'why',
    });
    assert.equal(connectionIdOf(pipeline), 'abc');
    assert.deepEqual(askedLines('  pull  on a\n\nx '), ['pull  on a', 'x']);
    assert.deepEqual(askedLines("'a b' on c\npull on team/app"), ["'a b' on c", 'pull on team/app']);
  });
});
