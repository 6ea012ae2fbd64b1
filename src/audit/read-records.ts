import { utf8 } from '@scure/base';
import type { AuditRecord } from './record.ts';
import { recordProblems } from './shape.ts';

/** A line that is no record. */
export interface LineProblem {
  /** 1-based. */
  readonly line: number;
  readonly reason: string;
}

/** What could be read, and what could not. */
export interface ReadRecords {
  readonly records: readonly AuditRecord[];
  readonly problems: readonly LineProblem[];
}

/**
 * Reads a ledger's records from text or bytes that nobody vouches for. Never throws: a bad line becomes a problem, the
 * others are read. Says nothing of the chain; `verifyLedger` does.
 */
export function readRecords(content: Uint8Array | string): ReadRecords {
  const records: AuditRecord[] = [];
  const problems: LineProblem[] = [];
  linesOf(content).forEach((line, index) => {
    const result = line === undefined ? 'it is not UTF-8' : readRecord(line);
    if (typeof result === 'string') problems.push({ line: index + 1, reason: result });
    else records.push(result);
  });
  return { records, problems };
}

/** One line's record, or why it is none. */
export function readRecord(line: string): AuditRecord | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return line.trim() === '' ? 'it is blank' : 'it is not JSON';
  }
  const problems = recordProblems(value);
  // the shape is that of a record: recordProblems compared it field by field
  return problems.length === 0 ? (value as AuditRecord) : problems.join('; ');
}

function linesOf(content: Uint8Array | string): (string | undefined)[] {
  if (typeof content === 'string') {
    const lines = content.split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines;
  }
  const lines: (string | undefined)[] = [];
  for (let start = 0; start < content.length; ) {
    const lineFeed = content.indexOf(0x0a, start);
    const end = lineFeed < 0 ? content.length : lineFeed;
    lines.push(decoded(content.subarray(start, end)));
    start = end + 1;
  }
  return lines;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.encode(bytes);
  } catch {
    return undefined;
  }
}
