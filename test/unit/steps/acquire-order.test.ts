import assert from 'node:assert/strict';
import { verifyLedger } from '../../../src/audit/ledger.ts';
import { fingerprintOf, maskedForms } from '../../../src/token/text-forms.ts';
import { failureOf } from '../io/outcome.ts';
import { assertNoTokenShown, assertNothingSet, registryJob, routeOf, tokens } from './registry-job.ts';

// With an await at its top level the file is loaded as an ES module, and every module that it reaches stands once.
const { acquireToken } = await import('../../../src/steps/acquire-token.ts');
const { freezeJob } = await import('../../../src/steps/freeze-job.ts');

const job = (answers?: Parameters<typeof registryJob>[1]) => registryJob(freezeJob, answers);
const fullDisk = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

describe('the order inside the step', () => {
  it('is intent, assertion, credential, narrowed token, record, evidence, masks, variable, outputs', async () => {
    const it = await job();
    await acquireToken(it.stage);
    const names = it
      .names()
      .filter((name, index, all) => name !== 'info' && !(name === 'mask' && all[index - 1] === 'mask'));
    assert.deepEqual(names.slice(0, 14), [
      'create',
      'setTaskVariable ScopedTokenState',
      'request oidc',
      'mask',
      'request entra',
      'mask',
      'request exchange',
      'mask',
      'request token',
      'mask',
      'group',
      'append',
      'setTaskVariable ScopedTokenState',
      'attach',
    ]);
    assert.deepEqual(names.slice(14, 16), ['mask', 'setSecretVariable SCOPED_TOKEN']);
    assert.ok(names.slice(16).every((name) => name.startsWith('setOutput ')));
  });

  it('masks every form of the token before the variable is set, and shows it nowhere else', async () => {
    const it = await job();
    await acquireToken(it.stage);
    const set = it.calls.findIndex(([name]) => name === 'setSecretVariable');
    assert.deepEqual(it.calls[set], ['setSecretVariable', 'SCOPED_TOKEN', tokens.access]);
    const masked = it.calls
      .slice(0, set)
      .filter(([name]) => name === 'mask')
      .map(([, value]) => value);
    for (const form of maskedForms(tokens.access)) assert.ok(masked.includes(form), form);
    for (const token of Object.values(tokens)) assert.ok(masked.includes(token));
    assertNoTokenShown(it.calls);
    for (const form of maskedForms(tokens.refresh).slice(0, 3)) {
      const places = it.calls.filter((call) => call.some((value) => value.includes(form))).map(([name]) => name);
      assert.ok(places.every((name) => name === 'mask'));
    }
  });

  it('leaves a ledger of intent and issue that verifies, and whose head it printed and froze', async () => {
    const it = await job();
    await acquireToken(it.stage);
    const [[path, text]] = [...it.world.stored] as [[string, string]];
    assert.match(path, /^\/agent\/_temp\/scoped-token-55555555.*-1-1-main\.jsonl$/);
    const records = it.records();
    assert.deepEqual(
      records.map(({ event }) => event),
      ['intent', 'issued'],
    );
    const [intent, issued] = records;
    assert.equal(issued?.intentId, intent?.recordId);
    assert.equal(issued?.token?.fingerprint, fingerprintOf(tokens.access));
    assert.equal(issued?.token?.uti, 'uti-1');
    assert.equal(issued?.issuer?.ids?.['clientRequestId'], intent?.recordId);
    const entra = it.world.requests.find((request) => routeOf(request) === 'entra');
    assert.equal(entra?.headers?.['client-request-id'], intent?.recordId, 'the id travels to the issuer');
    const head = issued?.hash ?? '';
    assert.equal(verifyLedger(text, { head }).firstBad, undefined);
    assert.ok(it.pipeline.of('info').some(([line]) => line?.includes(`Ledger head: ${head} after 2 records`)));
    assert.ok(it.pipeline.of('group').some((lines) => lines.join('\n').includes(head)));
    assert.equal(JSON.parse(it.pipeline.taskVariables['ScopedTokenState'] ?? '[]')[0].head, head);
    assert.deepEqual(it.pipeline.of('attach'), [
      ['scoped-token.ledger', path.replace('/agent/_temp/scoped-token-', ''), path],
    ]);
  });

  it('sets the outputs that the product names', async () => {
    const it = await job();
    await acquireToken(it.stage);
    assert.deepEqual(Object.fromEntries(it.pipeline.of('setOutput')), {
      issued: 'true',
      enforcement: 'issuer',
      proof: 'readBack',
      expiresOn: '2026-03-01T13:00:00.000Z',
      grantedScopes: 'pull on team/app',
      excess: '',
      fingerprint: fingerprintOf(tokens.access),
      recordId: it.records()[1]?.recordId,
    });
  });

  it('requests nothing before the intent is written: no record, no token', async () => {
    const it = await job();
    it.world.onWrite = () => {
      throw fullDisk;
    };
    const error = await failureOf(acquireToken(it.stage), 'LEDGER_WRITE');
    assert.match(error.message, /\(ENOSPC\)[\s\S]*disk of the agent’s temp folder is full/);
    assert.deepEqual(it.world.requests, []);
    assert.deepEqual(it.pipeline.of('attach'), []);
    assertNothingSet(it);
  });

  it('sets nothing where the record of the issue cannot be written, and names the token in the log', async () => {
    const it = await job();
    it.world.onWrite = (_path, text) => {
      if (!text.includes('"event":"intent"')) throw fullDisk;
    };
    await failureOf(acquireToken(it.stage), 'LEDGER_WRITE');
    assertNothingSet(it);
    const groups = it.pipeline.of('group').map((lines) => lines.join('\n'));
    assert.ok(groups.some((text) => text.includes('issued') && text.includes(fingerprintOf(tokens.access))));
  });

  it('sets nothing where the file is there already: another step must not write our record', async () => {
    const it = await job();
    it.world.stored.set('/agent/_temp/scoped-token-55555555-5555-4555-8555-555555555555-1-1-main.jsonl', 'forged\n');
    await failureOf(acquireToken(it.stage), 'LEDGER_WRITE');
    assert.deepEqual(it.world.requests, []);
    assertNothingSet(it);
  });

  it('sets nothing after the step was cancelled, at whatever moment that was', async () => {
    const whole = await job();
    await acquireToken(whole.stage);
    const last = whole.calls.findIndex(([name]) => name === 'attach');
    for (let moment = 0; moment <= last; moment += 1) {
      const it = await job();
      let count = 0;
      const tick = () => {
        if (count === moment) it.world.controller.abort();
        count += 1;
      };
      it.pipeline.onCall = tick;
      it.world.onWrite = tick;
      const respond = it.world.respond;
      it.world.respond = (request, number) => {
        tick();
        return respond(request, number);
      };
      await failureOf(acquireToken(it.stage), 'CANCELLED');
      assertNothingSet(it);
      const events = it.records().map(({ event }) => event);
      assert.equal(events[0], 'intent');
      assert.ok(events.includes('cancelled') || it.pipeline.of('attach').length > 0, `${moment}: ${events.join()}`);
      if (events.includes('issued')) assert.ok(it.records().some(({ token }) => token !== undefined));
    }
  });

  it('sets nothing where any request fails, and records why', async () => {
    for (const route of ['oidc', 'entra', 'exchange', 'token'] as const) {
      const it = await job({ [route]: { status: 503, headers: { 'x-ms-request-id': 'r-1' } } });
      await failureOf(acquireToken(it.stage), 'SERVER_UNAVAILABLE');
      assertNothingSet(it);
      const failed = it.records().at(-1);
      assert.deepEqual(
        [failed?.event, failed?.outcome.code, failed?.outcome.providerCode],
        ['failed', 'SERVER_UNAVAILABLE', 'HTTP 503'],
      );
      assert.equal(failed?.issuer?.ids?.['x-ms-request-id'], 'r-1');
      assert.equal(it.pipeline.of('attach').length, 1);
    }
  });

  it('shows a fault that nobody knows as INTERNAL, without its details', async () => {
    const it = await job();
    it.world.respond = () => {
      throw new TypeError(`cannot read ${tokens.entra}`);
    };
    await assert.rejects(acquireToken(it.stage), { name: 'TypeError' });
    assert.equal(it.records().at(-1)?.outcome.code, 'INTERNAL');
    assertNothingSet(it);
  });
});

describe('evidence: confirmed', () => {
  const confirmedJob = async (answers?: Parameters<typeof registryJob>[1]) => {
    const it = await job(answers);
    it.pipeline.inputs['evidence'] = 'confirmed';
    return it;
  };

  it('puts the ledger by REST, and has a 2xx before the variable is set', async () => {
    for (const status of [200, 201, 204]) {
      const it = await confirmedJob({ put: { status } });
      await acquireToken(it.stage);
      const names = it.names();
      assert.ok(names.indexOf('request put') >= 0);
      assert.ok(names.indexOf('request put') < names.indexOf('setSecretVariable SCOPED_TOKEN'));
      assert.ok(names.indexOf('append') < names.indexOf('request put'), 'on disk first');
      const put = it.world.requests.find((request) => routeOf(request) === 'put');
      assert.equal(put?.body, [...it.world.stored.values()][0]);
      assert.deepEqual([put?.allowedHosts, put?.plainHttp], [['dev.azure.com'], false]);
      assert.match(
        put?.url ?? '',
        /^https:\/\/dev\.azure\.com\/contoso\/1{8}-.*\/_apis\/distributedtask\/hubs\/build\/plans\/2{8}-.*\/timelines\/4{8}-.*\/records\/5{8}-.*\/attachments\/scoped-token\.ledger\/5{8}-.*-1-1-main\.jsonl\?api-version=7\.1/,
      );
      assert.equal(put?.headers?.['authorization'], 'Bearer job-access-token');
      assert.deepEqual(it.pipeline.of('attach'), [], 'not a second time by command');
    }
  });

  it('sets nothing without a 2xx', async () => {
    for (const status of [199, 300, 302, 400, 401, 403, 404, 409, 413]) {
      const it = await confirmedJob({ put: { status, body: '<html>', headers: { activityid: 'act-1' } } });
      const error = await failureOf(acquireToken(it.stage), 'EVIDENCE_NOT_CONFIRMED');
      assert.match(error.message, new RegExp(`status ${status}[\\s\\S]*activityid act-1`));
      assertNothingSet(it);
      assert.deepEqual(
        it.records().map(({ event }) => event),
        ['intent', 'issued', 'failed'],
      );
      assert.equal(it.pipeline.of('attach').length, 1, 'attached through the agent instead');
    }
  });

  it('sets nothing after a cancellation while the server confirmed', async () => {
    const it = await confirmedJob();
    const respond = it.world.respond;
    it.world.respond = (request, count) => {
      if (routeOf(request) === 'put') queueMicrotask(() => it.world.controller.abort());
      return respond(request, count);
    };
    await failureOf(acquireToken(it.stage), 'CANCELLED');
    assertNothingSet(it);
    assert.equal(it.records().at(-1)?.event, 'cancelled');
    assert.equal(it.records().at(-1)?.token?.fingerprint, fingerprintOf(tokens.access));
  });

  it('reaches a collection that is itself http by http, and a timeline that has no id by its plan', async () => {
    const it = await confirmedJob();
    delete it.pipeline.variables['System.TimelineId'];
    it.pipeline.variables['System.OidcRequestUri'] = 'http://tfs.contoso.example:8080/tfs/oidctoken';
    if (it.pipeline.collection) it.pipeline.collection.url = 'http://tfs.contoso.example:8080/tfs/DefaultCollection/';
    await freezeJob(it.stage);
    await acquireToken(it.stage);
    const put = it.world.requests.find((request) => routeOf(request) === 'put');
    assert.match(
      put?.url ?? '',
      /^http:\/\/tfs\.contoso\.example:8080\/tfs\/DefaultCollection\/.*\/plans\/(2{8}-[^/]*)\/timelines\/\1\//,
    );
    assert.deepEqual([put?.allowedHosts, put?.plainHttp], [['tfs.contoso.example'], true]);
  });
});
