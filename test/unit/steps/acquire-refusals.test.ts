import assert from 'node:assert/strict';
import { verifyLedger } from '../../../src/audit/ledger.ts';
import { Secret } from '../../../src/token/secret.ts';
import { fingerprintOf } from '../../../src/token/text-forms.ts';
import { failureOf } from '../io/outcome.ts';
import { connectionId, federatedConnection } from './fake-pipeline.ts';
import { json } from './fake-world.ts';
import { accessToken, assertNothingSet, registryJob, tokens } from './registry-job.ts';

// With an await at its top level the file is loaded as an ES module, and every module that it reaches stands once.
const { acquireToken } = await import('../../../src/steps/acquire-token.ts');
const { freezeJob } = await import('../../../src/steps/freeze-job.ts');

const job = (answers?: Parameters<typeof registryJob>[1]) => registryJob(freezeJob, answers);
const repository = (name: string, ...actions: string[]) => ({ type: 'repository', name, actions });
const fullDisk = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });

describe('what the step refuses', () => {
  it('is a job that was changed since its pre-job stage, before anything is requested', async () => {
    const it = await job();
    it.pipeline.variables['System.OidcRequestUri'] = 'https://dev.azure.com/evil/oidctoken';
    const error = await failureOf(acquireToken(it.stage), 'FROZEN_COPY_DIFFERS');
    assert.match(error.message, /System\.OidcRequestUri/);
    assert.deepEqual(it.world.requests, []);
    assertNothingSet(it);
    assert.deepEqual(
      it.records().map(({ event, outcome }) => [event, outcome.code]),
      [['failed', 'FROZEN_COPY_DIFFERS']],
    );
  });

  it('is a job without a pre-job stage', async () => {
    const it = await job();
    it.pipeline.taskVariables = {};
    await failureOf(acquireToken(it.stage), 'FROZEN_COPY_MISSING');
    assert.deepEqual(it.world.requests, []);
    assertNothingSet(it);
  });

  it('is a connection that a step rewrote', async () => {
    const it = await job();
    const { parameters } = federatedConnection();
    it.pipeline.connections = [
      federatedConnection({ parameters: { ...parameters, tenantid: new Secret('contoso.example') } }),
    ];
    await failureOf(acquireToken(it.stage), 'FROZEN_COPY_DIFFERS');
    assert.deepEqual(it.world.requests, []);
  });

  it('is a job whose agent does not say what is needed; there is no ledger then', async () => {
    const it = await job();
    delete it.pipeline.variables['Agent.TempDirectory'];
    await failureOf(acquireToken(it.stage), 'FACT_MISSING');
    assert.deepEqual(it.calls, []);
  });

  it('is inputs that cannot be used; the record holds what was asked, as it was written', async () => {
    const it = await job();
    it.pipeline.inputs = {
      azureConnection: connectionId,
      target: 'unknown',
      scopes: 'pull,\nread on logs',
      purpose: 'nightly build',
    };
    const error = await failureOf(acquireToken(it.stage), 'INPUT_INVALID');
    assert.match(error.message, /target: "unknown"[\s\S]*resource: is required[\s\S]*scopes, line 1, column 6/);
    const [failed] = it.records();
    assert.deepEqual(failed?.what.asked, ['pull,', 'read on logs']);
    assert.deepEqual(
      [failed?.what.target, failed?.what.resource, failed?.purpose],
      ['unknown', 'not given', 'nightly build'],
    );
    assert.deepEqual(it.world.requests, []);
    assertNothingSet(it);
  });

  it('is a connection that the agent did not hand over, or that is no federated one', async () => {
    const absent = await registryJob(freezeJob, {}, (pipeline) => {
      pipeline.connections = [];
    });
    const error = await failureOf(acquireToken(absent.stage), 'CONNECTION_UNUSABLE');
    assert.match(error.message, /handed over no service connection 6666/);
    const other = await registryJob(freezeJob, {}, (pipeline) => {
      pipeline.connections = [federatedConnection({ scheme: 'ServicePrincipal' })];
    });
    assert.match((await failureOf(acquireToken(other.stage), 'CONNECTION_UNUSABLE')).message, /ServicePrincipal/);
    assertNothingSet(other);
  });

  it('is a job without the connection to its collection', async () => {
    const it = await job();
    it.pipeline.collection = undefined;
    await freezeJob(it.stage);
    await failureOf(acquireToken(it.stage), 'FACT_MISSING');
    assertNothingSet(it);
  });

  it('is more than was declared: it is named, recorded with the token’s fingerprint, and never exposed', async () => {
    const wide = accessToken([repository('team/app', 'pull', 'push'), repository('team/app2', 'pull')]);
    const it = await job({ token: json({ access_token: wide }) });
    const error = await failureOf(acquireToken(it.stage), 'GRANTED_EXCESS');
    assert.match(error.message, /push on team\/app; pull on team\/app2[\s\S]*expires at 2026-03-01T13:00:00\.000Z/);
    assertNothingSet(it);
    const failed = it.records().at(-1);
    assert.deepEqual(failed?.what.excess, ['push on team/app', 'pull on team/app2']);
    assert.equal(failed?.token?.fingerprint, fingerprintOf(wide));
    assert.equal(failed?.event, 'failed');
  });

  it('is nothing at all being granted', async () => {
    const it = await job({ token: json({ access_token: accessToken([]) }) });
    await failureOf(acquireToken(it.stage), 'GRANTED_NOTHING');
    assertNothingSet(it);
  });

  it('writes no token into a record, even where a server says it back', async () => {
    const said = { errors: [{ code: 'DENIED', message: `the token ${tokens.refresh} of job-access-token` }] };
    const it = await job({ token: json(said, 403) });
    await failureOf(acquireToken(it.stage), 'TARGET_DENIED');
    assertNothingSet(it);
  });

  it('is told also where the ledger then breaks: that is a warning beside it', async () => {
    const it = await job({ token: { status: 503 } });
    let writes = 0;
    it.world.onWrite = () => {
      writes += 1;
      if (writes > 1) throw fullDisk;
    };
    await failureOf(acquireToken(it.stage), 'SERVER_UNAVAILABLE');
    const warnings = it.pipeline.of('warning');
    assert.deepEqual(
      warnings.map(([code]) => code),
      ['LEDGER_WRITE'],
    );
    assert.match(warnings[0]?.[1] ?? '', /stands in the log only/);
    assertNothingSet(it);
  });

  it('leaves a ledger that verifies, also where one write failed and the next did not', async () => {
    for (const failing of [1, 2]) {
      const it = await job();
      let writes = 0;
      it.world.onWrite = () => {
        writes += 1;
        if (writes === failing) throw fullDisk;
      };
      await failureOf(acquireToken(it.stage), 'LEDGER_WRITE');
      assertNothingSet(it);
      const [text = ''] = it.world.stored.values();
      if (text !== '') assert.equal(verifyLedger(text, {}).firstBad, undefined, `write ${failing} failed`);
    }
  });
});

describe('what the step warns of', () => {
  const warningsOf = async (prepare: (it: Awaited<ReturnType<typeof job>>) => void) => {
    const it = await job();
    prepare(it);
    await acquireToken(it.stage);
    return it.pipeline.of('warning');
  };

  it('is nothing where all is well', async () => {
    assert.deepEqual(await warningsOf(() => undefined), []);
  });

  it('is less than was declared; what is missing is named', async () => {
    const it = await job();
    it.pipeline.inputs['scopes'] = 'pull,push on team/app';
    await acquireToken(it.stage);
    const [[code, text]] = it.pipeline.of('warning') as [string[]];
    assert.equal(code, 'GRANTED_LESS');
    assert.match(text ?? '', /missing: push on team\/app/);
    assert.deepEqual(it.records().at(-1)?.what.missing, ['push on team/app']);
    assert.deepEqual(
      it.pipeline.of('setOutput').find(([name]) => name === 'grantedScopes'),
      ['grantedScopes', 'pull on team/app'],
    );
  });

  it('is a variable that is a secret already; names compare without case', async () => {
    const warnings = await warningsOf(({ pipeline }) => {
      pipeline.secretVariables['scoped_token'] = 'another';
    });
    assert.deepEqual(
      warnings.map(([code]) => code),
      ['VARIABLE_TAKEN'],
    );
  });

  it('is a clock that is off by more than two minutes, either way', async () => {
    const rows = [
      [120, ''],
      [-120, ''],
      [121, 'ahead of'],
      [-121, 'behind'],
    ] as const;
    for (const [skew, word] of rows) {
      const warnings = await warningsOf(({ world }) => {
        world.skew = skew;
        world.date = new Date('2026-03-01T12:00:00Z');
      });
      const clock = warnings.filter(([code]) => code === 'CLOCK_SKEW');
      assert.equal(clock.length, word === '' ? 0 : 1, String(skew));
      if (word !== '') assert.match(clock[0]?.[1] ?? '', new RegExp(`121 seconds ${word}`));
    }
  });

  it('is a life that is longer than was asked', async () => {
    const warnings = await warningsOf(({ pipeline }) => {
      pipeline.inputs['lifetimeMinutes'] = '15';
    });
    assert.deepEqual(
      warnings.map(([code]) => code),
      ['LIFETIME_LONGER'],
    );
    assert.match(warnings[0]?.[1] ?? '', /lives 60 minutes, not 15/);
  });

  it('is a value that Windows cannot hold in its environment', async () => {
    const long = `${tokens.access}${'A'.repeat(33_000)}`;
    for (const [system, expected] of [
      ['Windows_NT', ['VALUE_LONG']],
      ['Linux', []],
    ] as const) {
      const it = await job({ token: json({ access_token: long }) });
      it.pipeline.variables['Agent.OS'] = system;
      await acquireToken(it.stage);
      assert.deepEqual(
        it.pipeline.of('warning').map(([code]) => code),
        expected,
      );
    }
  });
});

describe('a retried step', () => {
  it('keeps the ledgers of all tries apart, and counts them', async () => {
    const it = await job({ token: { status: 503 } });
    await failureOf(acquireToken(it.stage), 'SERVER_UNAVAILABLE');
    it.answers.token = json({ access_token: tokens.access });
    await acquireToken(it.stage);
    const states = JSON.parse(it.pipeline.taskVariables['ScopedTokenState'] ?? '[]') as { try: number; file: string }[];
    assert.deepEqual(
      states.map((state) => state.try),
      [1, 2],
    );
    assert.deepEqual(
      [...it.world.stored.keys()],
      states.map((state) => state.file),
    );
    assert.equal(it.records()[0]?.where.try, 2);
    assert.equal(it.pipeline.of('setSecretVariable').length, 1);
  });
});
