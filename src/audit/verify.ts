import { utf8 } from '@scure/base';
import { bytesOf, hashesOfLine, idNames, type LedgerIds, seedOf } from './chain.ts';

/** The first line that is not what it should be. */
export interface LedgerFault {
  /** 1-based. */
  readonly line: number;
  /** The number that the record itself carries, when it can be read. */
  readonly seq?: number;
  readonly recordId?: string;
  /** What is wrong with it; "it" is the line. */
  readonly reason: string;
}

/** What {@link verifyLedger} found. `head` and `count` are those of the records before the first fault. */
export interface LedgerVerification {
  readonly state: 'consistent' | 'broken' | 'empty';
  /** `hash` of the last good record; empty when there is none. */
  readonly head: string;
  /** Good records. */
  readonly count: number;
  readonly firstBad?: LedgerFault;
}

/** What a line says of itself. */
interface Line {
  readonly version: unknown;
  readonly seq?: number;
  readonly prev?: string;
  readonly recordId?: string;
  readonly ids?: LedgerIds;
}

/** Where the chain stands before a line. */
interface Link {
  readonly seq: number;
  readonly hash: string;
  readonly ids?: LedgerIds;
}

/**
 * Follows a ledger's chain over its raw bytes. Finds changed, removed, moved, doubled and foreign lines, a file that ends
 * in a line, other line ends, blank lines.
 *
 * `consistent` proves that nothing was damaged, and that nobody edited it who could not compute the chain anew. It cannot
 * show that whole records are missing at the end: that takes the head from the stage's log as `expected.head`, and then an
 * editor must have changed the log as well. It proves nothing against somebody who can do both.
 */
export function verifyLedger(
  content: Uint8Array | string,
  expected: { readonly head?: string | undefined } = {},
): LedgerVerification {
  const bytes = typeof content === 'string' ? bytesOf(content) : content;
  let link: Link = { seq: 0, hash: '' };
  const heads: string[] = [];
  for (let start = 0, number = 1; start < bytes.length; number += 1) {
    const lineFeed = bytes.indexOf(0x0a, start);
    const end = lineFeed < 0 ? bytes.length : lineFeed;
    const next = follow(bytes.subarray(start, end), lineFeed >= 0, link);
    if ('reason' in next) {
      return { state: 'broken', head: link.hash, count: link.seq, firstBad: { line: number, ...next } };
    }
    link = next;
    heads.push(next.hash);
    start = end + 1;
  }
  const missed = headFault(heads, expected.head);
  if (missed) return { state: 'broken', head: link.hash, count: link.seq, firstBad: missed };
  return { state: link.seq === 0 ? 'empty' : 'consistent', head: link.hash, count: link.seq };
}

function headFault(heads: readonly string[], wanted: string | undefined): LedgerFault | undefined {
  if (wanted === undefined || wanted === (heads.at(-1) ?? '')) return undefined;
  const known = heads.indexOf(wanted);
  if (known >= 0) {
    return { line: known + 2, seq: known + 2, reason: 'it was added after the record that is the head in the log' };
  }
  return {
    line: heads.length + 1,
    reason:
      'the record that is the head in the log is not in the file: records are missing at its end, or it was replaced',
  };
}

/** The link after a line, or why there is none. */
function follow(bytes: Uint8Array, ended: boolean, link: Link): Link | Omit<LedgerFault, 'line'> {
  if (!ended) return { ...described(bytes), reason: 'the file ends in it: its line feed, or more, is missing' };
  if (bytes.length === 0) return { reason: 'it is blank' };
  if (bytes.at(-1) === 0x0d) {
    return { ...described(bytes), reason: 'it ends with CR LF, not with LF alone: the file was converted' };
  }
  const line = readLine(bytes);
  if (typeof line === 'string') return { reason: line };
  const hashes = hashesOfLine(bytes);
  const reason = ownFault(line, hashes) ?? linkFault(line, link);
  if (reason !== undefined || !hashes || !line.ids) return { ...named(line), reason: reason ?? 'it is not a record' };
  return { seq: link.seq + 1, hash: hashes.carried, ids: line.ids };
}

function ownFault(line: Line, hashes: ReturnType<typeof hashesOfLine>): string | undefined {
  if (line.version !== 1) return 'it has a version that is not known here; this program reads version 1';
  if (!hashes) return 'it does not end with its hash';
  if (hashes.carried !== hashes.covered) return 'its content does not match its hash: it was changed';
  if (!line.ids) return `its "where" lacks one of ${idNames.join(', ')}`;
  return undefined;
}

function linkFault(line: Line, link: Link): string | undefined {
  const foreign = idNames.find((name) => link.ids && link.ids[name] !== line.ids?.[name]);
  if (foreign) return `it belongs to another ledger: ${foreign} differs from the records before it`;
  const wanted = link.seq + 1;
  if (line.seq === undefined) return 'it has no number';
  if (line.seq > wanted) return `what should stand before it is missing: number ${wanted} was expected here`;
  if (line.seq < wanted) return `it stands twice or out of its place: number ${wanted} was expected here`;
  const prev = link.ids ? link.hash : line.ids && seedOf(line.ids);
  if (line.prev === prev) return undefined;
  return link.ids
    ? 'it does not follow the record before it: prev differs'
    : 'it does not begin a ledger of the ids in it: prev is not their seed';
}

/** What a line says, or why it says nothing. */
function readLine(bytes: Uint8Array): Line | string {
  let text: string;
  try {
    text = utf8.encode(bytes);
  } catch {
    return 'it is not UTF-8';
  }
  if (text.startsWith('\ufeff')) return 'it begins with a byte order mark: the file was converted';
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (!isObject(value)) return 'it is not a JSON object';
  const { v, seq, prev, recordId, where } = value;
  const ids = isObject(where) ? idsOf(where) : undefined;
  return {
    version: v,
    ...(typeof seq === 'number' ? { seq } : {}),
    ...(typeof prev === 'string' ? { prev } : {}),
    ...(typeof recordId === 'string' ? { recordId } : {}),
    ...(ids ? { ids } : {}),
  };
}

function idsOf(where: Readonly<Record<string, unknown>>): LedgerIds | undefined {
  const { organisation, projectId, planId, jobId, stepId } = where;
  const all = [organisation, projectId, planId, jobId, stepId];
  // every one is a text: checked in the line above the cast
  return all.every((id) => typeof id === 'string')
    ? ({ organisation, projectId, planId, jobId, stepId } as LedgerIds)
    : undefined;
}

function named(line: Line): { seq?: number; recordId?: string } {
  return {
    ...(line.seq === undefined ? {} : { seq: line.seq }),
    ...(line.recordId === undefined ? {} : { recordId: line.recordId }),
  };
}

function described(bytes: Uint8Array): { seq?: number; recordId?: string } {
  const line = readLine(bytes);
  return typeof line === 'string' ? {} : named(line);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
