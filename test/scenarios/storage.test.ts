import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { RunResult } from '../agent/run-result.ts';
import { requireDebian } from '../requires.ts';
import {
  type CurlRequest,
  curlLines,
  outputsOf,
  pipelineOf,
  printed,
  scriptStep,
  statusesOf,
  storageStep,
  warningCodes,
} from './pipelines.ts';
import { labForSuite, runScenario, scenarioTimeoutMilliseconds, stageOf } from './scenario.ts';

const account = 'https://contosodata.blob.core.windows.net';
const blockBlob = ['x-ms-blob-type: BlockBlob', 'x-ms-version: 2022-11-02'];
const version = ['x-ms-version: 2022-11-02'];

/** What anybody could try with `$SAS` on a container and on a blob in it. */
function everyAction(container: string, blob: string): readonly CurlRequest[] {
  const at = (query = ''): string => `${account}/${container}/${blob}?${query}$SAS`;
  const all = (query: string): string => `${account}/${container}?restype=container&${query}$SAS`;
  const fresh = `${account}/${container}/fresh.json?$SAS`;
  return [
    { label: 'read', url: at() },
    { label: 'read properties', url: at(), method: 'HEAD' },
    { label: 'list', url: all('comp=list&') },
    { label: 'overwrite', url: at(), method: 'PUT', headers: blockBlob, body: 'changed' },
    { label: 'create', url: fresh, method: 'PUT', headers: blockBlob, body: 'new' },
    { label: 'stage a block', url: at('comp=block&blockid=QUFB&'), method: 'PUT', headers: version, body: 'block' },
    { label: 'append to it', url: at('comp=appendblock&'), method: 'PUT', headers: version, body: 'more' },
    { label: 'set metadata', url: at('comp=metadata&'), method: 'PUT', headers: [...version, 'x-ms-meta-a: b'] },
    { label: 'snapshot', url: at('comp=snapshot&'), method: 'PUT', headers: version },
    { label: 'read tags', url: at('comp=tags&'), headers: version },
    { label: 'delete', url: `${at()}`, method: 'DELETE', headers: [...version, 'x-ms-delete-snapshots: include'] },
    { label: 'delete container', url: all(''), method: 'DELETE', headers: version },
    { label: 'set container policy', url: all('comp=acl&'), method: 'PUT', headers: version },
    { label: 'list containers', url: `${account}/?comp=list&$SAS` },
  ];
}

/** Edits of the query in `$SAS`; the shell makes them, so that no signature leaves the step. */
const edits: Readonly<Record<string, string>> = {
  'more actions': '${SAS/sp=r/sp=rwd}',
  'later end': '${SAS/se=20/se=21}',
  'earlier start': '${SAS/st=20/st=19}',
  'container instead of blob': '${SAS/sr=b/sr=c}',
  'blob instead of container': '${SAS/sr=c/sr=b}',
  'http too': '${SAS/spr=https/spr=https,http}',
  'key that ends later': '${SAS/ske=20/ske=21}',
  'other correlation id': '${SAS/scid=/scid=0}',
  'no correlation id': '$(sed "s/&scid=[^&]*//" <<<"$SAS")',
  'no protocol': '$(sed "s/&spr=[^&]*//" <<<"$SAS")',
  'no start': '$(sed "s/&st=[^&]*//" <<<"$SAS")',
  'other signature': '$(sed "s/sig=../sig=AA/" <<<"$SAS")',
  'actions twice': '$SAS&sp=rwdl',
};

/** Requests with every edit that fits the kind of resource, and the lines that make the edits. */
function editedRequests(url: string, kind: 'container' | 'blob'): { lines: string; requests: CurlRequest[] } {
  const names = Object.keys(edits).filter((name) => !name.startsWith(kind));
  const lines = names.map((name, index) => `E${index}="${edits[name]}"; [ "$E${index}" != "$SAS" ] || exit 9`);
  const requests = names.map((name, index) => ({ label: name, url: `${url}$E${index}` }));
  return { lines: lines.join('\n'), requests };
}

/** Requests that succeed have the status said; every other one is refused with 403. */
function assertOnly(run: RunResult, allowed: Readonly<Record<string, number>>): void {
  const statuses = statusesOf(run);
  const expected = Object.fromEntries(Object.keys(statuses).map((label) => [label, allowed[label] ?? 403]));
  assert.deepEqual(statuses, expected);
  for (const label of Object.keys(allowed)) assert.ok(label in statuses, `${label} was tried`);
}

const fieldsOf = (names: string): string =>
  `for name in ${names}; do echo "$name: $(grep -oP "(?<=^|&)$name=\\K[^&]*" <<<"$SAS")"; done`;

describe('a token for a container or a blob', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  before(function () {
    requireDebian(this, 'curl');
  });
  const suite = labForSuite();

  it('reads and lists the declared container, and is refused everything else', async () => {
    const elsewhere: readonly CurlRequest[] = [
      { label: 'blob of another container', url: `${account}/other/secret.txt?$SAS` },
      { label: 'list another container', url: `${account}/other?restype=container&comp=list&$SAS` },
      { label: 'other account', url: 'https://contosolake.blob.core.windows.net/logs/app.json?$SAS' },
    ];
    const edited = editedRequests(`${account}/logs/app.json?`, 'container');
    const tried = [...everyAction('logs', 'app.json'), ...elsewhere, ...edited.requests];
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'token', scopes: 'read,list on logs', lifetimeMinutes: '30' }),
        scriptStep(
          [
            edited.lines,
            curlLines(tried),
            `printf 'url = "${account}/logs/app.json?%s"\\n' "$SAS" | curl --fail --silent --config - | sed 's/^/content: /'; echo`,
            fieldsOf('sr sp spr se'),
            'echo "first: ${SAS:0:3}"',
          ],
          { SAS: '$(STORAGE_SAS)' },
        ),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    assertOnly(run, { read: 200, 'read properties': 200, list: 200 });
    assert.equal(Object.keys(statusesOf(run)).length, tried.length);
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    assert.deepEqual(
      ['sr', 'sp', 'spr', 'first'].map((label) => printed(run, label)),
      ['c', 'rl', 'https', 'sv='],
    );
    const token = stageOf(run, 'token');
    const { expiresOn = '' } = outputsOf(token);
    assert.equal(decodeURIComponent(printed(run, 'se')), expiresOn.replace('.000Z', 'Z'));
    const minutes = (Date.parse(expiresOn) - Date.parse(token.startedAt)) / 60_000;
    assert.ok(minutes > 29.9 && minutes < 30.5, `30 minutes, not ${minutes}`);
  });

  it('reads the declared blob alone; writes the declared blob, and cannot read it', async () => {
    const blob = '2026/app.json';
    const around: readonly CurlRequest[] = [
      { label: 'blob beside it', url: `${account}/logs/2026/other.json?$SAS` },
      { label: 'blob above it', url: `${account}/logs/app.json?$SAS` },
      { label: 'longer name', url: `${account}/logs/2026/app.json5?$SAS` },
    ];
    const edited = editedRequests(`${account}/logs/${blob}?`, 'blob');
    const written = `${account}/logs/2026/report.json?$WRITE`;
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'reader', scopes: `read on logs/${blob}`, evidence: 'confirmed' }),
        storageStep({
          name: 'writer',
          scopes: 'create on logs/2026/report.json\nwrite on logs/2026/report.json',
          variable: 'WRITE_SAS',
          evidence: 'confirmed',
        }),
        storageStep({
          name: 'remover',
          scopes: 'delete on logs/2026/other.json',
          variable: 'DELETE_SAS',
          evidence: 'confirmed',
        }),
        scriptStep(
          [
            edited.lines,
            curlLines([
              ...everyAction('logs', blob),
              ...around,
              ...edited.requests,
              { label: 'declared create', url: written, method: 'PUT', headers: blockBlob, body: 'report' },
              { label: 'read what was written', url: written },
              { label: 'delete what was written', url: written, method: 'DELETE', headers: version },
              { label: 'read what may be deleted', url: `${account}/logs/2026/other.json?$DELETE` },
              {
                label: 'declared delete',
                url: `${account}/logs/2026/other.json?$DELETE`,
                method: 'DELETE',
                headers: version,
              },
            ]),
            fieldsOf('sr sp'),
          ],
          { SAS: '$(STORAGE_SAS)', WRITE: '$(WRITE_SAS)', DELETE: '$(DELETE_SAS)' },
        ),
      ),
    });
    assertOnly(run, { read: 200, 'read properties': 200, 'declared create': 201, 'declared delete': 202 });
    assert.equal(printed(run, 'sr'), 'b');
    assert.equal(printed(run, 'sp'), 'r');
    assert.equal(outputsOf(stageOf(run, 'writer'))['grantedScopes'], 'create,write on logs/2026/report.json');
  });

  it('does all that was declared, where all was declared', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'token', scopes: 'delete,write,list,tag,read,add,create on other', evidence: 'confirmed' }),
        scriptStep([curlLines(everyAction('other', 'secret.txt')), fieldsOf('sp')], { SAS: '$(STORAGE_SAS)' }),
      ),
    });
    assertOnly(run, {
      ...{ read: 200, 'read properties': 200, list: 200, overwrite: 201, create: 201, 'stage a block': 201 },
      ...{ 'append to it': 409, 'set metadata': 200, snapshot: 201, 'read tags': 200, delete: 202 },
    });
    assert.equal(printed(run, 'sp'), 'racwdlt');
  });

  it('serves Azure’s own client library within what was declared', async () => {
    const client = `
      const { ContainerClient } = require(process.env.LIBRARY);
      const at = (name) => new ContainerClient('${account}/' + name + '?' + process.env.SAS, undefined, { retryOptions: { maxTries: 1 } });
      const work = async () => {
        const logs = at('logs');
        const names = [];
        for await (const blob of logs.listBlobsFlat({ prefix: 'app' })) names.push(blob.name);
        console.log('names: ' + names);
        console.log('content: ' + (await logs.getBlobClient('app.json').downloadToBuffer()));
        const refused = (label, work) => work.then(() => 200, (error) => error.statusCode).then((status) => console.log(label + ' -> ' + status));
        await refused('upload', logs.getBlockBlobClient('app.json').upload('x', 1));
        await refused('delete', logs.deleteBlob('app.json'));
        await refused('other container', at('other').getBlobClient('secret.txt').downloadToBuffer());
        await refused('delete container', logs.delete());
      };
      work();
    `;
    const library = createRequire(import.meta.url).resolve('@azure/storage-blob');
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'token', scopes: 'read,list on logs', evidence: 'confirmed' }),
        scriptStep('node --eval "$CLIENT"', {
          ...{ SAS: '$(STORAGE_SAS)', LIBRARY: library, CLIENT: client },
        }),
      ),
    });
    assert.equal(printed(run, 'names'), 'app.json');
    assert.equal(printed(run, 'content'), '{"level":"info"}');
    assertOnly(run, {});
    assert.equal(Object.keys(statusesOf(run)).length, 4);
  });

  it('ends when its delegation key does, where that is earlier; and is refused from then on', async () => {
    const { lab } = suite;
    lab.storage.keyTimes = ({ startsOn }) => ({ startsOn, expiresOn: new Date(startsOn.getTime() + 20 * 60_000) });
    try {
      const run = await runScenario(lab, {
        pipeline: pipelineOf(
          storageStep({ name: 'token', scopes: 'read on logs', evidence: 'confirmed' }),
          scriptStep([curlLines([{ label: 'at once', url: `${account}/logs/app.json?$SAS` }]), 'echo an hour later'], {
            SAS: '$(STORAGE_SAS)',
          }),
          scriptStep(
            [
              'LATER=${SAS/se=20/se=21}',
              curlLines([
                { label: 'an hour later', url: `${account}/logs/app.json?$SAS` },
                { label: 'with a later end', url: `${account}/logs/app.json?$LATER` },
              ]),
            ],
            { SAS: '$(STORAGE_SAS)' },
          ),
        ),
        log: (line) => {
          if (line === 'an hour later') lab.clock.offsetSeconds = 3600;
        },
      });
      assertOnly(run, { 'at once': 200 });
      const token = stageOf(run, 'token');
      const minutes = (Date.parse(outputsOf(token)['expiresOn'] ?? '') - Date.parse(token.startedAt)) / 60_000;
      assert.ok(minutes > 14.9 && minutes < 15.5, `15 minutes, as the key, not ${minutes}`);
      assert.deepEqual(warningCodes(token), ['TOKEN_NOTE']);
    } finally {
      lab.storage.keyTimes = undefined;
    }
  });

  for (const [lifetimeMinutes, minutes] of [
    ['', 60],
    ['1', 1],
    ['10080', 10080],
  ] as const) {
    it(`lives as long as asked: ${lifetimeMinutes === '' ? 'nothing said' : lifetimeMinutes}`, async () => {
      const run = await runScenario(suite.lab, {
        pipeline: pipelineOf(
          storageStep({ name: 'token', scopes: 'list on logs', evidence: 'confirmed', lifetimeMinutes }),
        ),
      });
      const token = stageOf(run, 'token');
      assert.deepEqual(token.issues, []);
      const lived = (Date.parse(outputsOf(token)['expiresOn'] ?? '') - Date.parse(token.startedAt)) / 60_000;
      assert.ok(lived > minutes - 0.1 && lived < minutes + 0.5, `${minutes} minutes, not ${lived}`);
    });
  }
});
