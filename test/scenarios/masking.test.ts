import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecords } from '../../src/audit/ledger.ts';
import { ledgersOf, pipelineOf, printed, registryStep, scriptStep, storageStep } from './pipelines.ts';
import { labForSuite, removeAgentFolder, runScenario, scenarioTimeoutMilliseconds } from './scenario.ts';

/** Prints the secret in every form in which a tool might: `LABEL: FORM`. */
const printForms = `
  const secret = process.env.SECRET;
  const base64 = (text) => Buffer.from(text).toString('base64');
  const forms = {
    plain: secret,
    base64: base64(secret),
    base64url: Buffer.from(secret).toString('base64url'),
    'url-encoded': encodeURIComponent(secret),
    json: JSON.stringify(secret).slice(1, -1),
    'json in json': JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    'Basic, no user': base64(':' + secret),
    'Basic, x-access-token': base64('x-access-token:' + secret),
    'Basic, AzureDevOps': base64('AzureDevOps:' + secret),
    'Basic, zero GUID': base64('00000000-0000-0000-0000-000000000000:' + secret),
  };
  const sig = /(?:^|&)sig=([^&]*)/.exec(secret)?.[1];
  if (sig) Object.assign(forms, { sig, 'sig, decoded': decodeURIComponent(sig), 'in an address': 'https://x/?' + secret });
  for (const [name, form] of Object.entries(forms)) console.log(process.env.LABEL + ' ' + name + ': ' + form);
  console.error(process.env.LABEL + ' on stderr: ' + secret);
`;

const forms = ['plain', 'base64', 'base64url', 'url-encoded', 'json', 'json in json', 'on stderr'];
const basicForms = ['no user', 'x-access-token', 'AzureDevOps', 'zero GUID'].map((user) => `Basic, ${user}`);

describe('the secret in the log', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();

  it('is masked in every stated form, and its signature alone', async () => {
    const run = await runScenario(suite.lab, {
      pipeline: pipelineOf(
        storageStep({ name: 'logs', scopes: 'read,list on logs', evidence: 'confirmed' }),
        registryStep({ name: 'image', scopes: 'pull on team/app', evidence: 'confirmed' }),
        scriptStep('node --eval "$PROGRAM"', { PROGRAM: printForms, SECRET: '$(STORAGE_SAS)', LABEL: 'sas' }),
        scriptStep('node --eval "$PROGRAM"', { PROGRAM: printForms, SECRET: '$(REGISTRY_TOKEN)', LABEL: 'jwt' }),
      ),
    });
    assert.equal(run.result, 'Succeeded');
    for (const secret of ['sas', 'jwt']) {
      for (const form of [...forms, ...basicForms]) assert.equal(printed(run, `${secret} ${form}`), '***');
    }
    assert.equal(printed(run, 'sas sig'), '***');
    assert.equal(printed(run, 'sas sig, decoded'), '***');
    assert.equal(printed(run, 'sas in an address'), 'https://x/?***');
  });
});

describe('the order on the wire', function () {
  this.timeout(scenarioTimeoutMilliseconds);
  const suite = labForSuite();
  let workFolder: string;
  beforeEach(async () => {
    workFolder = await mkdtemp(join(tmpdir(), 'agent-'));
  });
  afterEach(() => removeAgentFolder(workFolder));

  const ledgerFiles = (): readonly string[] => {
    const temp = join(workFolder, '_work', '_temp');
    return readdirSync(temp)
      .filter((name) => name.endsWith('-main.jsonl'))
      .map((name) => readFileSync(join(temp, name), 'utf8'));
  };

  it('is: intent on disk, request, record, attachment, masks, variable', async () => {
    const { lab } = suite;
    // What was on disk when the first connection was asked for.
    let atFirst: readonly string[] | undefined;
    lab.fault('proxy', () => {
      atFirst ??= ledgerFiles();
      return undefined;
    });
    const run = await runScenario(lab, {
      workFolder,
      variables: { 'system.debug': 'true' },
      pipeline: pipelineOf(storageStep({ name: 'logs', scopes: 'read on logs' })),
    });
    assert.deepEqual(
      atFirst?.flatMap((text) => readRecords(text).records.map(({ event }) => event)),
      ['intent'],
    );
    const [ledger] = ledgersOf(run, { kind: 'main' });
    const intent = readRecords(ledger?.content ?? '').records[0];
    const requested = run.requests.find(({ server }) => server === 'oidc')?.time ?? '';
    assert.ok((intent?.time ?? '~') <= requested, `${intent?.time} is not after ${requested}`);

    const all = run.log
      .filter((line) => line.startsWith('##[debug]Processed: ##vso['))
      .map((line) => line.slice('##[debug]Processed: '.length));
    // Those of the main stage: from the pre-job stage's copy to the last output.
    const begin = all.findIndex((line) => line.includes('task.settaskvariable variable=ScopedTokenFrozen'));
    const end = all.findIndex((line) => line.includes('variable=recordId;'));
    const commands = all.slice(begin + 1, end + 1);
    const at = (pattern: RegExp): number => commands.findIndex((line) => pattern.test(line));
    const last = (pattern: RegExp): number => commands.findLastIndex((line) => pattern.test(line));
    const variable = at(/^##vso\[task\.setvariable variable=STORAGE_SAS;/);
    assert.match(commands[variable] ?? '', /issecret=true;.*\]\*\*\*$/i);
    const attached = at(/^##vso\[task\.addattachment type=scoped-token\.ledger;name=[^;]*-main\.jsonl;\]/);
    assert.ok(attached >= 0 && attached < variable, 'the evidence is handed over before the variable is set');
    assert.ok(last(/^##vso\[task\.setsecret\]/) < variable, 'every mask is registered before the variable is set');
    assert.ok(at(/setvariable variable=issued/) > variable, 'outputs come last');
    const state = at(/^##vso\[task\.settaskvariable variable=ScopedTokenState/);
    // Every stage masks the proxy's credential first; what is issued comes after the intent.
    const masks = commands.flatMap((line, index) => (/^##vso\[task\.setsecret\]/.test(line) ? [index] : []));
    assert.ok(
      masks.length > 2 && state >= 0 && state < (masks[1] ?? -1),
      'the intent is left for the post-job stage before anything is issued',
    );
  });
});
