import assert from 'node:assert/strict';
import { readRecords, verifyLedger } from '../../../src/audit/ledger.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { failureOf } from '../io/outcome.ts';
import { json } from './fake-world.ts';
import { assertNoTokenShown, type RegistryJob, registryJob, routeOf } from './registry-job.ts';

// With an await at its top level the file is loaded as an ES module, and every module that it reaches stands once.
const { acquireToken } = await import('../../../src/steps/acquire-token.ts');
const { freezeJob } = await import('../../../src/steps/freeze-job.ts');
const { releaseToken } = await import('../../../src/steps/release-token.ts');

const mainName = '55555555-5555-4555-8555-555555555555-1-1-main.jsonl';
const finalName = mainName.replace('main', 'final');
const finalPath = `/agent/_temp/scoped-token-55555555-5555-4555-8555-555555555555-${finalName}`;
const arrived = json({ value: [{ name: mainName }] });

/** A job whose main stage is over; the calls begin with the post-job stage. */
async function mainIsOver(
  prepare: (it: RegistryJob) => void = () => undefined,
  failsWith?: ErrorCode,
): Promise<RegistryJob> {
  const it = await registryJob(freezeJob, { list: arrived });
  prepare(it);
  if (failsWith) await failureOf(acquireToken(it.stage), failsWith);
  else await acquireToken(it.stage);
  it.calls.length = 0;
  it.world.requests.length = 0;
  return it;
}

const warningCodes = ({ pipeline }: RegistryJob) => pipeline.of('warning').map(([code]) => code);

describe('the post-job stage', () => {
  it('says how the token ended, completes the ledger and publishes it with a summary', async () => {
    const it = await mainIsOver();
    const before = [...it.world.stored.values()][0] ?? '';
    await releaseToken(it.stage);
    assert.deepEqual(warningCodes(it), []);
    const final = it.world.stored.get(finalPath) ?? '';
    assert.ok(final.startsWith(before), 'what the main stage left stands unchanged');
    assert.equal([...it.world.stored.values()][0], before, 'its file too, because the agent reads it later');
    const { records } = readRecords(final);
    assert.deepEqual(
      records.map(({ event }) => event),
      ['intent', 'issued', 'notRevocable'],
    );
    assert.match(records[2]?.outcome.reason ?? '', /cannot be revoked: it expires at 2026-03-01T13:00:00\.000Z/);
    assert.deepEqual([records[2]?.intentId, records[2]?.token], [records[0]?.recordId, records[1]?.token]);
    const head = records[2]?.hash ?? '';
    assert.equal(verifyLedger(final, { head }).firstBad, undefined);
    assert.ok(it.pipeline.of('info').some(([line]) => line?.includes(`${head} after 3 records`)));
    const [ledger, summary] = it.pipeline.of('attach');
    assert.deepEqual(ledger, ['scoped-token.ledger', finalName, finalPath]);
    assert.equal(summary?.[0], 'Distributedtask.Core.Summary');
    assert.match(summary?.[1] ?? '', /^Scoped Token containerRegistry 5555\.md$/);
    assert.ok(it.world.stored.get(summary?.[2] ?? '')?.includes('pull on team/app'));
    assertNoTokenShown(it.calls);
  });

  it('says "expired" of a token whose time is over', async () => {
    const it = await mainIsOver();
    it.world.clock.set('2026-03-01T13:00:00Z');
    await releaseToken(it.stage);
    const { records } = readRecords(it.world.stored.get(finalPath) ?? '');
    assert.equal(records.at(-1)?.event, 'expired');
    assert.ok(it.pipeline.of('info').some(([line]) => line === 'The token has expired.'));
  });

  it('does not say "expired" before the servers do', async () => {
    const it = await mainIsOver(({ world }) => {
      world.skew = 900;
      world.date = new Date('2026-03-01T11:45:00Z');
    });
    it.world.clock.set('2026-03-01T13:05:00Z');
    await releaseToken(it.stage);
    const { records } = readRecords(it.world.stored.get(finalPath) ?? '');
    assert.equal(records.at(-1)?.event, 'notRevocable');
  });

  it('has nothing to do where main did not run', async () => {
    const it = await registryJob(freezeJob);
    await releaseToken(it.stage);
    assert.deepEqual(it.names(), ['info']);
    it.pipeline.variables = {};
    await releaseToken(it.stage);
    assert.deepEqual(it.names(), ['info', 'info'], 'also without the facts of the job');
  });

  it('publishes the ledger of a failure as it is', async () => {
    const it = await mainIsOver(({ answers }) => {
      answers.token = { status: 503 };
    }, 'SERVER_UNAVAILABLE');
    await releaseToken(it.stage);
    const { records } = readRecords(it.world.stored.get(finalPath) ?? '');
    assert.deepEqual(
      records.map(({ event }) => event),
      ['intent', 'failed'],
    );
    assert.deepEqual(warningCodes(it), []);
  });

  it('completes the ledger of every try, and makes one summary', async () => {
    const it = await mainIsOver(({ answers }) => {
      answers.token = { status: 503 };
    }, 'SERVER_UNAVAILABLE');
    await failureOf(acquireToken(it.stage), 'SERVER_UNAVAILABLE');
    it.calls.length = 0;
    await releaseToken(it.stage);
    const names = it.pipeline.of('attach').map(([, name]) => name);
    assert.deepEqual(names.slice(0, 2), [finalName, finalName.replace('-1-1-', '-1-2-')]);
    assert.equal(names.length, 3);
  });

  it('does not vouch for a ledger that is not as main left it', async () => {
    const forgeries = [
      (text: string) => text.replace('pull on team/app', 'pull on team/apt'),
      (text: string) => text.split('\n').slice(0, 1).join('\n').concat('\n'),
      (text: string) => `${text}{}\n`,
      () => '',
      () => undefined,
    ];
    for (const forge of forgeries) {
      const it = await mainIsOver();
      const [[path, text]] = [...it.world.stored] as [[string, string]];
      const forged = forge(text);
      if (forged === undefined) it.world.stored.delete(path);
      else it.world.stored.set(path, forged);
      await releaseToken(it.stage);
      assert.deepEqual(warningCodes(it), ['LEDGER_TAMPERED']);
      assert.match(it.pipeline.of('warning')[0]?.[1] ?? '', /not extended; its records stand in the log/);
      assert.deepEqual(it.pipeline.of('attach'), []);
    }
  });

  it('stays off the network where the environment or the frozen copy says so', async () => {
    const refused = await mainIsOver((it) => {
      it.pipeline.inputs['evidence'] = 'confirmed';
    });
    await releaseToken({ ...refused.stage, refusedVariables: ['NODE_OPTIONS'] });
    const changed = await mainIsOver((it) => {
      it.pipeline.inputs['evidence'] = 'confirmed';
    });
    changed.pipeline.variables['Agent.ProxyUrl'] = 'http://evil.example/';
    await releaseToken(changed.stage);
    for (const [it, code] of [
      [refused, 'ENVIRONMENT_REFUSED'],
      [changed, 'FROZEN_COPY_DIFFERS'],
    ] as const) {
      assert.deepEqual(warningCodes(it), [code]);
      assert.match(it.pipeline.of('warning')[0]?.[1] ?? '', /stays off the network/);
      assert.deepEqual(it.world.requests, []);
      assert.equal(it.pipeline.of('attach').length, 2, 'attached through the agent instead');
    }
  });

  it('puts by REST what is to be confirmed, else attaches it with a warning', async () => {
    const confirmed = (it: RegistryJob) => {
      it.pipeline.inputs['evidence'] = 'confirmed';
    };
    const well = await mainIsOver(confirmed);
    await releaseToken(well.stage);
    assert.deepEqual(well.pipeline.of('attach'), []);
    const puts = well.world.requests
      .filter((request) => routeOf(request) === 'put')
      .map(({ url }) => new URL(url).pathname.split('/').at(-1));
    assert.equal(puts.length, 2);
    assert.equal(puts[0], finalName);
    assert.deepEqual(warningCodes(well), []);
    const ill = await mainIsOver(confirmed);
    ill.answers.put = { status: 403 };
    await releaseToken(ill.stage);
    assert.deepEqual(
      warningCodes(ill),
      ['EVIDENCE_NOT_CONFIRMED'],
      'said once; the rest goes through the agent at once',
    );
    assert.equal(ill.pipeline.of('attach').length, 2);
  });

  it('warns where the main stage’s ledger has not arrived, after it asked a few times', async () => {
    const it = await mainIsOver(({ answers }) => {
      answers.list = json({ value: [null, {}, { name: 'other.jsonl' }] });
    });
    await releaseToken(it.stage);
    assert.deepEqual(warningCodes(it), ['EVIDENCE_MISSING']);
    assert.deepEqual(it.world.clock.slept, [1_000, 1_000]);
    const asked = it.world.requests.filter((request) => routeOf(request) === 'list');
    assert.equal(asked.length, 3);
    assert.match(asked[0]?.url ?? '', /\/_apis\/build\/builds\/42\/attachments\/scoped-token\.ledger\?/);
  });

  it('warns of nothing that it cannot ask', async () => {
    const prepared: ((it: RegistryJob) => void)[] = [
      ({ answers }) => {
        answers.list = { status: 401 };
      },
      ({ answers }) => {
        answers.list = { status: 200, body: '<html>' };
      },
      ({ answers }) => {
        answers.list = new TypeError('no network');
      },
    ];
    for (const prepare of prepared) {
      const it = await mainIsOver(prepare);
      await releaseToken(it.stage);
      assert.deepEqual(warningCodes(it), []);
    }
    const release = await registryJob(freezeJob, {}, ({ variables }) => {
      variables['System.HostType'] = 'release';
    });
    await acquireToken(release.stage);
    release.world.requests.length = 0;
    await releaseToken(release.stage);
    assert.deepEqual([release.world.requests, warningCodes(release)], [[], []]);
  });

  it('never fails the job, whatever breaks', async () => {
    const breaking: ((it: RegistryJob) => void)[] = [
      ({ pipeline }) => {
        pipeline.variables = {};
      },
      ({ pipeline }) => {
        pipeline.taskVariables['ScopedTokenState'] = '{broken';
      },
      ({ pipeline }) => {
        pipeline.taskVariables['ScopedTokenState'] = '[null]';
      },
      ({ pipeline }) => {
        pipeline.collection = undefined;
      },
      ({ world }) => {
        world.onWrite = () => {
          throw new Error('a broken disk');
        };
      },
      ({ world }) => {
        world.controller.abort();
      },
    ];
    for (const breakIt of breaking) {
      const it = await mainIsOver();
      breakIt(it);
      await releaseToken(it.stage);
      assert.ok(!it.names().includes('fail'));
    }
    const other = await mainIsOver();
    other.pipeline.taskVariables['ScopedTokenState'] = '{}';
    await releaseToken(other.stage);
    assert.deepEqual(other.names(), ['warning']);
  });

  it('says that the disk is full, and publishes what it still can', async () => {
    const it = await mainIsOver();
    it.world.onWrite = (path) => {
      if (path === finalPath) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    await releaseToken(it.stage);
    assert.deepEqual(warningCodes(it), ['LEDGER_WRITE']);
    assert.ok(it.pipeline.of('attach').some(([type]) => type === 'Distributedtask.Core.Summary'));
  });
});
