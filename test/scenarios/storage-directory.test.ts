import assert from 'node:assert/strict';
import { requireDebian } from '../requires.ts';
import {
  type CurlRequest,
  curlLines,
  ledgersOf,
  outputsOf,
  pipelineOf,
  printed,
  scriptStep,
  statusesOf,
  storageStep,
  variablesSet,
} from './pipelines.ts';
import { errorOf, labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const lake = 'https://contosolake.blob.core.windows.net';

/** A question that every signature may ask about its account, so it tells whether the signature holds at an address. */
const facts = (label: string, path: string, sas = '$SAS'): CurlRequest => ({
  label,
  url: `${lake}/${path}?restype=account&comp=properties&${sas}`,
  method: 'HEAD',
});

describe('a token for a directory', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  before(function () {
    requireDebian(this, 'curl');
  });
  const suite = labForSuite();

  it('holds for the directory and what is below it, as the library signs it, and nowhere else', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({
          name: 'token',
          // the account's other endpoint means the same account
          resource: 'https://contosolake.dfs.core.windows.net/',
          scopes: 'list,read on logs/2026/north/**',
          lifetimeMinutes: '20',
          evidence: 'confirmed',
        }),
        scriptStep(
          [
            'WIDER=${SAS/sp=rl/sp=rwdl}',
            'HIGHER=${SAS/sdd=2/sdd=1}',
            'CONTAINER=${SAS/sr=d/sr=c}',
            'LATER=${SAS/se=20/se=21}',
            curlLines([
              facts('the directory', 'logs/2026/north'),
              facts('a blob in it', 'logs/2026/north/a.json'),
              facts('a directory in it', 'logs/2026/north/may/b.json'),
              facts('the directory above', 'logs/2026'),
              facts('a directory beside it', 'logs/2026/south'),
              facts('a name that begins the same', 'logs/2026/northwest'),
              facts('another container', 'other/2026/north'),
              facts('the container', 'logs'),
              facts('edited actions', 'logs/2026/north', '$WIDER'),
              facts('edited depth', 'logs/2026', '$HIGHER'),
              facts('edited resource', 'logs/2026/north', '$CONTAINER'),
              facts('edited end', 'logs/2026/north', '$LATER'),
              { label: 'data', url: `${lake}/logs/2026/north/a.json?$SAS` },
            ]),
            'for name in sr sp sdd spr; do echo "$name: $(grep -oP "(?<=^|&)$name=\\K[^&]*" <<<"$SAS")"; done',
          ],
          { SAS: '$(STORAGE_SAS)' },
        ),
      ),
    });
    const { data, ...statuses } = statusesOf(run);
    const holds = ['the directory', 'a blob in it', 'a directory in it'];
    assert.equal(Object.keys(statuses).length, 12);
    for (const [label, status] of Object.entries(statuses)) {
      assert.equal(status, holds.includes(label) ? 200 : 403, label);
    }
    // Not verified by a server here: no server of the lab keeps data of an account with a hierarchical namespace.
    assert.equal(data, 409);
    assert.deepEqual(
      ['sr', 'sp', 'sdd', 'spr'].map((label) => printed(run, label)),
      ['d', 'rl', '2', 'https'],
    );
    assert.equal(outputsOf(stageOf(run, 'token'))['grantedScopes'], 'read,list on logs/2026/north/**');
  });

  it('is an error on an account without a hierarchical namespace: nothing is widened, nothing is set', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(storageStep({ name: 'token', scopes: 'read,list on logs/2026/**' }), {
        ...scriptStep('echo "left: $SAS"', { SAS: '$(STORAGE_SAS)' }),
        condition: 'always()',
      }),
    });
    const token = stageOf(run, 'token');
    const { code, message } = errorOf(token);
    assert.equal(code, 'TARGET_UNSUITABLE');
    assert.match(message, /contosodata does not confirm that it has a hierarchical namespace/);
    assert.equal(run.result, 'Failed');
    assert.deepEqual(variablesSet(run), []);
    assert.equal(printed(run, 'left'), '$(STORAGE_SAS)');
    const [ledger] = ledgersOf(run, { kind: 'final' });
    const events = ledger?.content
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events?.map(({ event, outcome }) => [event, outcome.code]),
      [
        ['intent', 'OK'],
        ['failed', 'TARGET_UNSUITABLE'],
      ],
    );
  });
});
