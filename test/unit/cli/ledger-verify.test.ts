import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { head, ledgerParts, ledgerText } from '../../../src/audit/ledger.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import { endDraft, intentDraft, issuedDraft, ledgerOf } from '../audit/sample-records.ts';

const ledger = ledgerOf([intentDraft, issuedDraft, endDraft]);
const text = ledgerText(ledger);
const edited = text.replace('"event":"issued"', '"event":"intent"');
const [partA = '', partB = '', partC = ''] = ledgerParts(text, 10);
const files: Record<string, string> = {
  'good.jsonl': text,
  'edited.jsonl': edited,
  'empty.jsonl': '',
  'cut.jsonl': partA + partB,
  'part-1.jsonl': partA,
  'part-2.jsonl': partB,
  'part-10.jsonl': partC,
};

async function run(words: readonly string[], input = '') {
  let out = '';
  let err = '';
  const status = await runCommand(words, {
    readFile: async (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return Buffer.from(content);
    },
    readInput: async () => Buffer.from(input),
    write: (more) => {
      out += more;
    },
    writeError: (more) => {
      err += more;
    },
  });
  return { status, out, err };
}
const verify = (...words: string[]) => run(['ledger', 'verify', ...words]);

describe('cli: ledger verify', () => {
  it('says that a good ledger is consistent, and its head', async () => {
    const good = { status: 0, out: `good.jsonl: consistent, 3 records, head ${head(ledger)}\n`, err: '' };
    assert.deepEqual(await verify('good.jsonl'), good);
    assert.deepEqual(await verify('--head', head(ledger).toUpperCase(), 'good.jsonl'), good);
    assert.deepEqual(await verify(`--head=${head(ledger)}`, '--', 'good.jsonl'), good);
  });

  it('names the first bad record', async () => {
    const { status, out, err } = await verify('edited.jsonl');
    assert.deepEqual([status, err], [1, '']);
    assert.equal(
      out,
      `edited.jsonl: BROKEN at line 2, record 2 (${issuedDraft.recordId}): its content does not match its hash: it was changed\n` +
        `  good before it: 1 record, head ${ledger.records[0]?.hash}\n`,
    );
  });

  it('takes several ledgers, and is content only when all are good', async () => {
    const { status, out } = await verify('good.jsonl', 'edited.jsonl');
    assert.equal(status, 1);
    assert.deepEqual(out.match(/^\S+: \S+/gm), ['good.jsonl: consistent,', 'edited.jsonl: BROKEN']);
    assert.equal((await verify('good.jsonl', 'good.jsonl')).status, 0);
    assert.equal((await verify('empty.jsonl')).status, 1);
  });

  it('shows with the head alone that records are missing at the end', async () => {
    assert.equal((await verify('cut.jsonl')).status, 0);
    const { status, out } = await verify('--head', head(ledger), 'cut.jsonl');
    assert.equal(status, 1);
    assert.match(out, /BROKEN at line 3: .*missing at its end/);
  });

  it('joins parts in whatever order they are named', async () => {
    const { status, out } = await verify(
      '--parts',
      '--head',
      head(ledger),
      'part-1.jsonl',
      'part-10.jsonl',
      'part-2.jsonl',
    );
    assert.deepEqual([status, out], [0, `3 parts: consistent, 3 records, head ${head(ledger)}\n`]);
    assert.equal((await verify('--parts', 'part-1.jsonl', 'part-10.jsonl')).status, 1);
    assert.equal((await verify('part-10.jsonl')).status, 1);
  });

  it('reads standard input', async () => {
    const { status, out } = await run(['ledger', 'verify', '-'], text);
    assert.deepEqual([status, out.split(',')[0]], [0, 'standard input: consistent']);
    assert.equal((await run(['ledger', 'verify', '-'], edited)).status, 1);
  });

  it('gives its result as JSON', async () => {
    const { status, out } = await verify('--json', 'good.jsonl', 'edited.jsonl');
    assert.equal(status, 1);
    const { ledgers } = JSON.parse(out) as { ledgers: { file: string; state: string; firstBad?: { line: number } }[] };
    assert.deepEqual(
      ledgers.map(({ file, state, firstBad }) => [file, state, firstBad?.line]),
      [
        ['good.jsonl', 'consistent', undefined],
        ['edited.jsonl', 'broken', 2],
      ],
    );
  });

  it('still verifies the other files when one cannot be read, and ends with 2', async () => {
    const { status, out, err } = await verify('missing.jsonl', 'good.jsonl');
    assert.deepEqual([status, err], [2, 'cannot read missing.jsonl: ENOENT\n']);
    assert.match(out, /^good.jsonl: consistent/);
    const parts = await verify('--parts', 'part-1.jsonl', 'missing.jsonl');
    assert.deepEqual([parts.status, parts.out], [2, '']);
  });

  it('says so when a record in the chain cannot be read', async () => {
    const body = `${ledgerText(ledgerOf([intentDraft])).split(',"hash":')[0]}}`.replace('"intent"', '"invented"');
    const hash = createHash('sha256').update(body).digest('hex');
    files['newer.jsonl'] = `${body.slice(0, -1)},"hash":"${hash}"}\n`;
    const { status, out } = await verify('newer.jsonl');
    assert.equal(status, 0);
    assert.match(
      out,
      /consistent, 1 record, .*\n {2}line 1 stands in the chain, but cannot be read as a record: event is/,
    );
  });

  it('lets nothing of a file act on the terminal', async () => {
    files['\u001b[31mred.jsonl'] = ledgerText(
      ledgerOf([{ ...intentDraft, recordId: '\u001b]0;title\u0007##vso[x]' }]),
    ).replace('"seq":1', '"seq":9');
    for (const words of [[], ['--json']]) {
      const { out } = await verify(...words, '\u001b[31mred.jsonl');
      assert.match(out, /broken/i);
      assert.doesNotMatch(out.replaceAll('\n', ''), /\p{Cc}|##vso/u);
    }
  });

  const wrong: [words: string[], message: RegExp][] = [
    [[], /no file given/],
    [['--json'], /no file given/],
    [['--fast', 'good.jsonl'], /unknown option --fast/],
    [['-v', 'good.jsonl'], /unknown option -v/],
    [['--json=yes', 'good.jsonl'], /--json takes no value/],
    [['--json', '--json', 'good.jsonl'], /--json stands twice/],
    [['good.jsonl', '--head'], /--head needs a value/],
    [['--head=', 'good.jsonl'], /--head needs a value/],
    [['--head', 'abc', 'good.jsonl'], /64 hex digits/],
    [['--head', 'a'.repeat(64), 'good.jsonl', 'cut.jsonl'], /for one ledger/],
    [['-', '-'], /once only/],
  ];
  for (const [words, message] of wrong) {
    it(`refuses ${['ledger verify', ...words].join(' ').slice(0, 60)}`, async () => {
      const { status, out, err } = await verify(...words);
      assert.deepEqual([status, out], [2, '']);
      assert.match(err, message);
      assert.match(err, /Usage: /);
    });
  }

  it('explains itself', async () => {
    const own = await verify('--help');
    assert.equal(own.status, 0);
    assert.match(own.out, /Exit status: 0 .*; 1 .*; 2 /);
    const all = await run(['--help']);
    assert.deepEqual([all.status, /ledger verify/.test(all.out)], [0, true]);
    for (const words of [[], ['ledger'], ['ledger', 'verfy'], ['nonsense\u001b[31m']]) {
      const { status, out, err } = await run(words);
      assert.deepEqual([status, out], [2, '']);
      assert.match(err, /ledger verify/);
      assert.ok(!err.includes('\u001b'));
    }
  });
});

describe('cli as a process', () => {
  it('reads files and standard input, and ends with the exit status', async function () {
    this.timeout(30_000);
    const root = fileURLToPath(new URL('../../../', import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'scoped-token-cli-'));
    try {
      await writeFile(join(folder, 'edited.jsonl'), edited);
      const words = ['--import', 'tsx', 'src/cli/main.ts', 'ledger', 'verify', '-', join(folder, 'edited.jsonl')];
      const child = spawn(process.execPath, words, { cwd: root, stdio: ['pipe', 'pipe', 'pipe'] });
      const closed = once(child, 'close');
      child.stdin.end(text);
      const [out, err, [status]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), closed]);
      assert.deepEqual([status, err], [1, '']);
      assert.match(out, /^standard input: consistent, 3 records/);
      assert.match(out, /edited\.jsonl: BROKEN at line 2/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
