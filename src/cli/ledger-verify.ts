import { safeJson } from '../audit/chain.ts';
import { joinParts, type LedgerVerification, type LineProblem, readRecords, verifyLedger } from '../audit/ledger.ts';
import { plainText } from '../audit/plain-text.ts';
import type { CommandWorld } from '../io/command-world.ts';
import { type Command, exitStatus, sortWords, UsageError } from './command.ts';

const usage = `Usage: npm run cli -- ledger verify [--head HEX] [--parts] [--json] FILE...

Follows the hash chain of ledgers (attachments of type scoped-token.ledger) and names the first bad record.

  FILE        a ledger; - is standard input. Each is verified by itself
  --parts     the files are parts of one ledger, in any order
  --head HEX  the head that the stage's log printed. Only with it is seen that records are missing at the end.
              For one ledger at a time
  --json      the result as JSON

Exit status: 0 all are consistent; 1 one is broken or empty; 2 wrong usage, or a file cannot be read.

Consistent means: not damaged, and not edited by somebody who could not compute the chain anew. Compare the head with
the stage's log: then whoever edited it must have changed the log as well. It proves no more than that.
`;

/** `ledger verify`: is a downloaded ledger what the step wrote? */
export const ledgerVerify: Command = {
  name: 'ledger verify',
  purpose: 'verify downloaded ledgers and name the first bad record',
  usage,
  run: verifyFiles,
};

/** A ledger to verify: one file, or the parts of one. */
interface Source {
  readonly name: string;
  readonly content: Uint8Array;
}

interface Result extends LedgerVerification {
  readonly file: string;
  /** Lines that stand in the chain but that this version cannot read as records. */
  readonly unreadable: readonly LineProblem[];
}

async function verifyFiles(words: readonly string[], world: CommandWorld): Promise<number> {
  const { flags, values, rest: files } = sortWords(words, { flags: ['--parts', '--json'], values: ['--head'] });
  const head = values.get('--head')?.toLowerCase();
  if (files.length === 0) throw new UsageError('no file given');
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('- can stand once only');
  if (head !== undefined && !/^[0-9a-f]{64}$/.test(head)) throw new UsageError('--head needs 64 hex digits');
  if (head !== undefined && files.length > 1 && !flags.has('--parts')) {
    throw new UsageError('--head is for one ledger; with several files, say --parts if they are parts of one');
  }
  const { sources, failures } = await readSources(files, world);
  for (const failure of failures) world.writeError(`${failure}\n`);
  // parts without one of them would look like a broken ledger, which they are not known to be
  if (failures.length > 0 && flags.has('--parts')) return exitStatus.unusable;
  const ledgers = flags.has('--parts') ? [joined(sources)] : sources;
  const results = ledgers.map((source) => verified(source, head));
  world.write(flags.has('--json') ? `${safeJson({ ledgers: results })}\n` : results.map(told).join(''));
  if (failures.length > 0) return exitStatus.unusable;
  return results.every(({ state }) => state === 'consistent') ? exitStatus.good : exitStatus.bad;
}

async function readSources(files: readonly string[], world: CommandWorld) {
  const sources: Source[] = [];
  const failures: string[] = [];
  for (const file of files) {
    try {
      const content = file === '-' ? await world.readInput() : await world.readFile(file);
      sources.push({ name: file === '-' ? 'standard input' : file, content });
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'it could not be opened';
      failures.push(`cannot read ${plainText(file)}: ${plainText(code)}`);
    }
  }
  return { sources, failures };
}

function joined(sources: readonly Source[]): Source {
  return { name: `${sources.length} parts`, content: joinParts(sources.map(({ content }) => content)) };
}

function verified({ name, content }: Source, head: string | undefined): Result {
  const found = verifyLedger(content, { head });
  const unreadable = found.state === 'consistent' ? readRecords(content).problems : [];
  return { file: name, ...found, unreadable };
}

function told(result: Result): string {
  const name = plainText(result.file);
  const records = `${result.count} ${result.count === 1 ? 'record' : 'records'}`;
  if (result.state === 'empty') return `${name}: empty, no record in it\n`;
  const lines =
    result.state === 'consistent'
      ? [`${name}: consistent, ${records}, head ${result.head}`]
      : brokenLines(result, name, records);
  for (const { line, reason } of result.unreadable) {
    lines.push(`  line ${line} stands in the chain, but cannot be read as a record: ${plainText(reason)}`);
  }
  return `${lines.join('\n')}\n`;
}

function brokenLines({ firstBad, head }: Result, name: string, records: string): string[] {
  const { line, seq, recordId, reason } = firstBad ?? { line: 0, reason: '' };
  const number = seq === undefined ? '' : `, record ${seq}`;
  return [
    `${name}: BROKEN at line ${line}${number}${recordId === undefined ? '' : ` (${plainText(recordId)})`}: ${plainText(reason)}`,
    head === '' ? '  no record before it is good' : `  good before it: ${records}, head ${head}`,
  ];
}
